"""How long did input wait because of a fault? If a desk writes nothing, it stands still only if there is input that
waits."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from schemas.flow import FLOW
from schemas.topics import ROLES
from services.cli.log import LoggedMessage
from tests.chaos.strike import Strike

Span = tuple[float, float]
"""The times at which an input was produced and at which one of its effects was written, in seconds since 1970."""
Turns = Mapping[tuple[str, int], Sequence[Span]]
"""(desk, partition of the input) → one span for each effect of an input."""
SILENT_DESK = "clearance"
"""The service that publishes no facts. The effects of its inputs are its records, which have the keys of the
inputs."""
END_SECONDS = 5.0
"""An input that was produced less than this many seconds before the topics end may have no effect yet."""
ALWAYS_ANSWERED = frozenset([("risk", "DeclarationAccepted"), ("release", "ConsignmentAssessed")])
"""(desk, kind of fact) whose every input has an effect. Every request has one, too."""
KINDS_READ = frozenset(kind.kind for kind in FLOW[SILENT_DESK])


def turns_of(entries: Sequence[LoggedMessage], states: Iterable[LoggedMessage]) -> Turns:
    """Returns when each input was produced and when its effects were written. `entries`: facts and requests; a fact is
    the effect of the input that its header names as its cause. `states`: the records of clearance, which are the
    effects of its inputs. An input that should have had an effect and had none is a span that never ends (`math.inf`)."""
    inputs = {e.id: (e.partition, _moment(e)) for e in entries if ROLES[e.topic] in ("facts", "requests")}
    turns: dict[tuple[str, int], list[Span]] = defaultdict(list)
    for fact in entries:
        cause = inputs.get(fact.headers.get("causationid", ""))
        if cause is not None and ROLES[fact.topic] == "facts" and fact.written_by_its_desk:
            turns[fact.desk, cause[0]].append((cause[1], _moment(fact)))
    caused = {(fact.desk, fact.headers.get("causationid", "")) for fact in entries if fact.written_by_its_desk}
    last = max(map(_moment, entries), default=0.0) - END_SECONDS
    for entry in entries:
        for desk in _answering(entry) if _moment(entry) < last else ():
            if (desk, entry.id) not in caused:
                turns[desk, entry.partition].append((_moment(entry), math.inf))
    written: dict[tuple[str, int], list[float]] = defaultdict(list)
    for state in states:
        written[state.key, state.partition].append(_moment(state))
    for moments in written.values():
        moments.sort()
    for entry in entries:
        if entry.kind in KINDS_READ and ROLES[entry.topic] == "facts" and entry.written_by_its_desk:
            moments, came = written.get((entry.key, entry.partition), []), _moment(entry)
            if (after := bisect_left(moments, came)) < len(moments):
                turns[SILENT_DESK, entry.partition].append((came, moments[after]))
            elif came < last:
                turns[SILENT_DESK, entry.partition].append((came, math.inf))
    return turns


def waited(turns: Turns, desks: Iterable[str], strike: Strike) -> float | None:
    """Returns how many seconds input waited, at that partition of these desks at which it waited longest; None if no
    input waited or came after the fault, `math.inf` if a partition at which input waited never wrote anything again. The
    wait begins with the fault, or when the oldest waiting input was produced if that was later. It ends when the first
    effect after the fault was written."""
    waits = []
    for (desk, _), spans in turns.items():
        after = [span for span in spans if span[1] > strike.struck]
        if desk in desks and after:
            answered = [span for span in after if span[1] < math.inf] or after
            first, oldest = min(done for _, done in answered), min(came for came, _ in answered)
            waits.append(max(0.0, first - max(strike.struck, oldest)))
    return max(waits, default=None)


def _answering(entry: LoggedMessage) -> tuple[str, ...]:
    """Returns the desks that must answer this input by a fact."""
    if ROLES[entry.topic] == "requests":
        return (entry.desk,)
    return tuple(desk for desk, kind in ALWAYS_ANSWERED if kind == entry.kind and entry.written_by_its_desk)


def _moment(entry: LoggedMessage) -> float:
    return entry.timestamp_ms / 1000
