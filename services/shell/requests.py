"""Was this request answered for this key before? This module decides which requests a record remembers, and for how
long."""

from datetime import UTC
from enum import Enum
from hashlib import blake2b

import msgspec

from schemas.envelope import Request
from services.shell.codec import Raw

LAST_REMEMBERED = 64
"""How many of the last requests of a key are remembered, however old they are."""
REMEMBERED_SECONDS = 24 * 3600.0
"""For how many seconds (24 hours) all requests are remembered, as docs/ports.md and the API's document promise to senders
of an Idempotency-Key."""
MOST_REMEMBERED = 512
"""How many requests of one key are accepted within `REMEMBERED_SECONDS`. More are refused (`too_many_requests`), unless
they can only hold goods."""
_TIME = b'"occurred_at":"'


class AnsweredRequest(msgspec.Struct, frozen=True, array_like=True):
    """A request that was answered. `digest`: that of its content; `at`: the time of the decision, in Unix seconds."""

    id: str
    digest: str
    at: float


class Repeat(Enum):
    """How a request compares with those that were answered. `NEW`: none has its id. `SAME`: one has its id and content. `OTHER`: one has
    its id, but other content."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


def content_digest(message: Raw, request: Request | None = None) -> str:
    """Returns a digest of a request's kind and value, as 16 hexadecimal digits. `occurred_at` is left out, because a
    sender that did not get its answer sends the same request again at a later time.

    If the time is what the request reports (`Request.time_is_content`), a hyphen and a digest of the time as 8
    hexadecimal digits follow. `request`: the decoded request; if it is None, the time does not count, as in older
    software versions.
    """
    value = message.value or b""
    begin = value.find(_TIME)
    if begin >= 0:
        end = value.find(b'"', begin + len(_TIME))
        value = value[:begin] + value[end:]
    digest = blake2b(value, digest_size=8, key=message.headers.get("ce_type", b"")[:64]).hexdigest()
    if request is None or not request.time_is_content:
        return digest
    moment = request.occurred_at.astimezone(UTC).isoformat().encode()
    return f"{digest}-{blake2b(moment, digest_size=4).hexdigest()}"


def known(requests: list[AnsweredRequest], before: list[str], id: str, digest: str) -> Repeat:
    """Compares a request that has this id and this content digest with the answered `requests`. `before`: ids of
    requests that an older version answered and remembered without their content. A request with one of these ids counts
    as `SAME`."""
    found = False
    for each in requests:
        if each.id == id:
            if each.digest == digest or each.digest == digest.partition("-")[0]:
                return Repeat.SAME  # the second comparison: an older software version left the time out of the digest
            found = True
    if id in before:
        return Repeat.SAME
    return Repeat.OTHER if found else Repeat.NEW


def remembered(requests: list[AnsweredRequest], new: AnsweredRequest) -> list[AnsweredRequest]:
    """Returns the requests and the new one, without those that need not be remembered any more."""
    kept = [*requests, new]
    first = max(0, len(kept) - MOST_REMEMBERED)
    last = len(kept) - LAST_REMEMBERED
    while first < last and kept[first].at < new.at - REMEMBERED_SECONDS:
        first += 1
    return kept[first:]


def too_many(requests: list[AnsweredRequest], at: float) -> bool:
    """Returns whether a record with these requests has no room for one more, because it would have to forget a request
    that was decided less than `REMEMBERED_SECONDS` ago. `at`: the present time in Unix seconds."""
    return len(requests) >= MOST_REMEMBERED and requests[-MOST_REMEMBERED].at >= at - REMEMBERED_SECONDS
