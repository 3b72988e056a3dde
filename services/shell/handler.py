"""May this message be decided, and what follows from it? The message is decoded and checked. A request is decided only
once. Then the facts are stored in the outcome of the turn, and the new state in the overlay's entry of the key.

`MessageHandler.attempt` either makes all of these changes, or changes nothing and returns the reason, with which the
caller parks the message.
"""

from datetime import datetime

from schemas.bounds import shown
from schemas.codes.refusals import RefusalCode
from schemas.envelope import DeadlinePassed, Hearing, Message, Request, refusal_of
from schemas.flow import HOLDING
from schemas.parking import is_deadline
from schemas.phrases import Phrase, phrase
from services.shell.codec import Raw, Undecodable, decode, in_doubt, kind_of, moment_of
from services.shell.deciding import decide_message
from services.shell.desk import Desk
from services.shell.outcome import Outcome, TooLarge, cause_of, fact_output
from services.shell.overlay import Overlay, OverlayEntry
from services.shell.parking import Trouble
from services.shell.partition import partition_of
from services.shell.requests import (
    MOST_REMEMBERED,
    AnsweredRequest,
    Repeat,
    content_digest,
    known,
    remembered,
    too_many,
)

DOUBTS = frozenset({"contract", "null_value", "missing_id", "bad_header", "too_large"})
"""Reasons for which a message cannot be decoded although its key says which goods it is about. If the kind of such a
message can only hold goods, the goods of its key are then held."""
HOLDING_KINDS = {name: frozenset(kind.kind for kind in kinds) for name, kinds in HOLDING.items()}
"""Desk → kinds of messages that can only hold goods."""


class MessageHandler:
    """Decides the messages of one turn. `time`: the value of `at` as the text of a header.

    `checked_keys`: partition and key of records that could not be written. Each new state of such a record is encoded as a
    test, before it is accepted.
    """

    def __init__(
        self,
        desk: Desk,
        partitions: int,
        at: datetime,
        time: str,
        overlay: Overlay,
        outcome: Outcome,
        checked_keys: frozenset[tuple[int, str]],
    ) -> None:
        self._desk, self._partitions, self._at, self._time = desk, partitions, at, time
        self._overlay, self._outcome, self._checked_keys = overlay, outcome, checked_keys
        self._holding = HOLDING_KINDS.get(desk.name, frozenset())

    def attempt(self, entry: OverlayEntry, key: str, message: Raw) -> Trouble | None:
        """Decides the message and returns None, or changes nothing and returns why the message cannot be decided."""
        deadline = is_deadline(message.topic)
        try:
            decoded = self._decoded(DeadlinePassed if deadline else kind_of(message), message)
        except Undecodable as error:
            return Trouble(error.reason, str(error))
        except MemoryError:
            # A lack of memory says nothing about this message. The process ends, and the next one reads the message again.
            raise
        except Exception as error:
            # The decoding is not expected to raise any other exception. If a message causes one nevertheless, this
            # message must not stop the other messages.
            return trouble_of(error)
        if entry.misplaced:
            belongs = partition_of(key.encode(), self._partitions)
            return Trouble("wrong_partition", f"read from partition {message.partition}; its key belongs to {belongs}")
        if entry.unreadable:
            return Trouble("record_unreadable", entry.unreadable)
        shared = self._overlay.shared(message.partition, key)
        if shared is not None and shared.unreadable and decoded.kind not in self._holding:
            return Trouble("record_unreadable", f"the record of the whole partition: {shared.unreadable}"[:400])
        cause = message.forwarded("ce_id").decode() or message.position
        serial = 0 if deadline else message.offset * self._partitions + message.partition
        hearing = Hearing(self._at, cause, serial, _recorded(message), None if shared is None else shared.state)
        try:
            if isinstance(decoded, Request):
                self._decide_once(entry, key, message, decoded, hearing)
            else:
                self._decide(entry, key, message, decoded, hearing)
        except MemoryError:
            raise
        except Exception as error:
            # The decider raised this error, or a fact of its answer cannot be written. The caller parks the message with the reason, and
            # decides the messages of other goods.
            return trouble_of(error)
        return None

    def _decoded(self, kind: type[Message], message: Raw) -> Message:
        """Returns the decoded message. A message that can only hold goods is decoded even if a later version added
        fields. If the content of such a message cannot be read, a hold on the goods that its key names is returned
        instead."""
        try:
            return decode(kind, message, extra="ignore" if kind.kind in self._holding else None)
        except Undecodable as error:
            held = in_doubt(kind, message, self._at) if error.reason in DOUBTS else None
            if held is None:
                raise
            return held

    def _decide_once(self, entry: OverlayEntry, key: str, source: Raw, request: Request, hearing: Hearing) -> None:
        """Decides a request if it was not answered before. A repeated request changes nothing. A request with the id of
        an answered one but with other content is refused, unless it can only hold goods."""
        record, digest, at = entry.record, content_digest(source, request), hearing.at.timestamp()
        match known(record.requests, record.answered_ids, hearing.message_id, digest):
            case Repeat.SAME:
                self._outcome.duplicates += 1
            case Repeat.OTHER if request.kind in self._holding:
                # Another request has this id. The goods must be held nevertheless, so the position of the message
                # becomes its id.
                self._decide(entry, key, source, request, hearing._replace(message_id=source.position))
            case Repeat.OTHER:
                explanation = phrase("id_of_other_at", message=source.position)
                self._refuse(entry, key, source, request, hearing, RefusalCode.KEY_REUSED, explanation)
            case Repeat.NEW if too_many(record.requests, at) and request.kind not in self._holding:
                # The record has no room for another request. To remember this request, the record would have to forget
                # an earlier request too soon.
                explanation = phrase("too_many_requests_at", count=MOST_REMEMBERED, message=source.position)
                self._refuse(entry, key, source, request, hearing, RefusalCode.TOO_MANY_REQUESTS, explanation)
            case Repeat.NEW if request.kind not in self._holding and _is_future(request, source):
                explanation = phrase(
                    "told_in_future_at",
                    told=request.occurred_at,
                    asked=shown(source.text("ce_time"), 40),
                    message=source.position,
                )
                self._refuse(entry, key, source, request, hearing, RefusalCode.IN_FUTURE, explanation)
            case Repeat.NEW:
                self._decide(entry, key, source, request, hearing)
                record.requests = remembered(record.requests, AnsweredRequest(hearing.message_id, digest, at))
                entry.dirty = True

    def _refuse(
        self,
        entry: OverlayEntry,
        key: str,
        source: Raw,
        request: Request,
        hearing: Hearing,
        code: RefusalCode,
        explanation: Phrase,
    ) -> None:
        """Refuses a request without calling the decider. The record does not remember the request, so a
        repetition of the request is checked again like a new one."""
        refusal = refusal_of(key, hearing.message_id, request.kind, hearing.at, code, explanation)
        cause = cause_of(source, hearing.message_id)
        output = fact_output(self._desk.name, refusal, 0, entry.record.n + 1, cause, self._time, named=source.position)
        self._outcome.decided += 1
        self._outcome.outputs.append(output)
        entry.record.n += 1
        entry.dirty = True
        self._outcome.count_fact(refusal.kind)

    def _decide(self, entry: OverlayEntry, key: str, source: Raw, message: Message, hearing: Hearing) -> None:
        name = self._desk.name
        facts, state = decide_message(self._desk.decider, entry.state, message, hearing, name)
        outputs = []
        if facts:
            cause, sequence = cause_of(source, hearing.message_id), entry.record.n + 1
            outputs = [fact_output(name, fact, n, sequence + n, cause, self._time) for n, fact in enumerate(facts)]
        if self._checked_keys and (source.partition, key) in self._checked_keys:
            self._overlay.check_fits(entry, key, state)
        # Nothing below can raise. So the entry changes as a whole or not at all.
        self._outcome.decided += 1
        self._outcome.outputs += outputs
        entry.record.n += len(facts)
        for fact in facts:
            self._outcome.count_fact(fact.kind)
        if state is not entry.state:
            entry.state = state
            entry.dirty = True
        if facts:
            entry.dirty = True


def trouble_of(error: Exception) -> Trouble:
    """Returns the reason why a message is parked if its decider, or the encoding of its outcome, raised this error."""
    if isinstance(error, TooLarge):
        return Trouble("too_large", str(error))
    return Trouble("decide_raised", f"{type(error).__name__}: {error}"[:500])


def _is_future(request: Request, source: Raw) -> bool:
    """Returns whether the request's event time (`occurred_at`) is too far ahead of the time at which the request was
    sent (`ce_time`). The kind of the request says how far ahead the event time may be (`most_ahead`). Both times are in
    the message, so the answer is the same at every reading."""
    try:
        return request.occurred_at > moment_of(source.text("ce_time")) + request.most_ahead
    except ValueError:
        return False


def _recorded(message: Raw) -> datetime | None:
    """Returns the time in the `ce_time` header of the message; None if the header is missing or cannot be read."""
    try:
        return moment_of(message.text("ce_time"))
    except ValueError:
        return None
