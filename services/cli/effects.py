"""Did each cause have its effects once and in order, and did the port get what the desks decided? This check uses no
code of the loop.

Every desk numbers its facts for each consignment or container without gaps, and each fact names its cause. So a number
is missing if a fact is lost, and a number occurs twice if a fact is doubled. If two facts are swapped, the effect of
the later cause has the lower number.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid5

from schemas.envelope import FUTURE_SKEW
from schemas.flow import HOLDING
from schemas.parking import Origin
from services.cli.log import LoggedMessage

WITHOUT_MESSAGE = {"InspectionOverdue", "RectificationOverdue", "TreatmentOverdue"}
"""Kinds of facts whose cause is a time limit. There is no message for this cause on any topic."""
LAPSES = (timedelta(days=30), timedelta(days=7))
"""The times after which an unused release lapses. The shorter one counts if no terminal reported that the container came."""
GATE_ANSWERS = {
    "EquipmentEventRecorded",
    "EquipmentEventRetracted",
    "ContainerFindingRecorded",
    "ContainerFindingRetracted",
    "LotStruck",
    "StrikeRetracted",
    "ExitPermitted",
    "ContainerHoldPlaced",
    "ContainerHoldLifted",
    "RequestRefused",
}
"""The kinds of facts by which the gate desk answers a request. The gate desk answers each request once, by a fact of
one of these kinds. Older software versions published only the facts that followed from the request."""

FACTS = UUID("0f7b8c0e-97a1-5d9b-8f9c-1b2a6f3d4e02")
"""The UUID namespace from which the ids of facts are made."""
MOST_FACTS = 1024
"""The most facts that one cause may have."""
AT_PORT = {
    "ContainerMayLeave",
    "ContainerMustStay",
    "ContainerGatedOut",
    "GateAlarmRaised",
    "VisitOpened",
    "VisitClosed",
    "ContainerArrived",
    "GoodsTransferred",
    "ContainerArrivalRetracted",
    "TransferRetracted",
    "ConsignmentGatedOut",
    "ConsignmentLeftUnreleased",
    "DepartureRetracted",
}


@dataclass
class Effects:
    """The faults that were found, one line with the evidence for each. `causeless`: facts whose cause is on no topic;
    `forged`: messages that name their desk as the writer but cannot come from that desk; `uncopied`: facts for ports of
    which no copy is on the ports' topic. `at_port`: kind of fact about
    containers at the gate → the number of such facts."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    causeless: list[str] = field(default_factory=list)
    wrongly_released: list[str] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    uncopied: list[str] = field(default_factory=list)
    at_port: Counter[str] = field(default_factory=Counter)


def examine(
    effects: Effects,
    requests: Iterable[LoggedMessage],
    facts: list[LoggedMessage],
    aside: Mapping[str, set[Origin]] | None = None,
) -> None:
    """Looks for faults and adds them to `effects`. `requests`: the requests, without those that operators discarded.
    Each request occurs only once, even if it was sent several times. `facts`: the facts that desks published. `aside`:
    service → the origins of all messages that it ever parked.

    The topics may be in any order, but the messages of each partition must be in their order.
    """
    causes: dict[str, LoggedMessage] = {}
    for entry in (*requests, *facts):
        # if two messages have the same id, the first one counts
        causes.setdefault(entry.id, entry)
        # A holding message may have no id, or an id that was already used. The facts that it caused then name its position as their cause.
        causes[entry.position] = entry
    records: dict[tuple[str, str], list[LoggedMessage]] = defaultdict(list)
    lapses = _lapses(facts)
    for fact in facts:
        records[fact.desk, record_of(fact)].append(fact)
        if not derived(fact):
            effects.forged.append(f"{_name(fact)}: its id is not what its desk derives from its cause")
        cause = fact.headers.get("causationid", "")
        if fact.kind not in WITHOUT_MESSAGE and cause not in causes and (record_of(fact), cause) not in lapses:
            effects.causeless.append(f"{_name(fact)} is caused by what no topic holds")
    for (desk, key), of_record in records.items():
        _numbered(effects, f"{key} at {desk}", of_record)
        _caused_in_order(effects, f"{key} at {desk}", of_record, causes, (aside or {}).get(desk, set()))
    _controls(effects, facts)
    _boxes(effects, facts)
    _gate(effects, facts)


def _lapses(facts: list[LoggedMessage]) -> set[tuple[str, str]]:
    """Returns the time limits at which the releases in these facts lapse, as pairs of consignment and id of the time limit."""
    found = set()
    for fact in facts:
        if fact.kind == "ReleaseGranted" and isinstance(fact.body, dict):
            for after in LAPSES:
                due = (datetime.fromisoformat(fact.body["occurred_at"]) + after).isoformat()
                found.add((fact.key, str(uuid5(FACTS, f"deadline/release/{fact.key}/lapse/{due}"))))
    return found


def _boxes(effects: Effects, facts: list[LoggedMessage]) -> None:
    """Checks that a container may leave only with goods that are released in this container. This is checked because
    goods that arrive in parts can be released in some of their containers and not yet in the others."""
    released: dict[str, set[str]] = defaultdict(set)
    for fact in facts:
        if fact.kind == "ReleaseGranted":
            released[fact.key] |= set(fact.body["containers"])
    permitted = {(f.key, f.body["consignment_id"]) for f in facts if f.kind == "ExitPermitted"}
    for fact in facts:
        if fact.kind == "ContainerMayLeave":
            goods = [c for c in fact.body["consignments"] if c in released and fact.key not in released[c]]
            if wrong := [c for c in goods if (fact.key, c) not in permitted]:
                effects.wrongly_released.append(f"{fact.key} may leave with {wrong}, released in other containers only")


def derived(fact: LoggedMessage) -> bool:
    """Returns whether the fact's id is one that its desk makes from the fact's cause. The rule is implemented here a second time, so
    that no code is shared with the loop."""
    cause = fact.headers.get("causationid", "")
    if position := refused_by_loop(fact):
        return str(uuid5(FACTS, f"{fact.desk}/{cause}/{position}")) == fact.id
    return any(str(uuid5(FACTS, f"{fact.desk}/{cause}/{index}")) == fact.id for index in range(MOST_FACTS))


def refused_by_loop(fact: LoggedMessage) -> str:
    """If the loop refused a message before the decider was called and this fact says so, returns the position of the message. Returns
    an empty text for every other fact."""
    if fact.kind != "RequestRefused" or not isinstance(fact.body, dict):
        return ""
    if fact.body.get("code") not in ("key_reused", "too_many_requests", "in_future"):
        return ""
    found = _POSITION.search(str(fact.body.get("reason", "")))
    return found.group(1) if found else ""


_POSITION = re.compile(r" \(([a-z-]+/[0-9]+/[0-9]+)\)$")


def record_of(fact: LoggedMessage) -> str:
    """Returns the key of the record that the desk keeps about the subject of this fact. It may differ from the key of the message."""
    name = "container_no" if fact.desk == "gate" else "consignment_id"
    body = fact.body
    return str(body.get(name, fact.key)) if isinstance(body, dict) else fact.key


def _numbered(effects: Effects, where: str, facts: list[LoggedMessage]) -> None:
    counts = Counter(int(fact.headers["sequence"]) for fact in facts)
    twice = sorted(number for number, count in counts.items() if count > 1)
    given = sorted(counts)
    gaps = [(before + 1, number) for before, number in pairwise((0, *given)) if number > before + 1]
    if twice:
        effects.doubled.append(f"{where}: numbers {twice[:5]} were given more than once")
    if gaps:
        missing = [number for first, end in gaps[:5] for number in range(first, min(end, first + 5))]
        effects.lost.append(f"{where}: facts {missing[:5]} of {given[-1]} are missing")


def _caused_in_order(
    effects: Effects, where: str, facts: list[LoggedMessage], causes: dict[str, LoggedMessage], aside: set[Origin]
) -> None:
    """Checks that a record's facts about the messages of one topic are in the order of these messages. There is one
    exception: a holding message may overtake a message that was parked."""
    last: dict[str, int] = {}
    last_holding: dict[str, int] = {}
    for fact in sorted(facts, key=lambda f: int(f.headers["sequence"])):
        cause = causes.get(fact.headers.get("causationid", ""))
        if cause is None:
            continue
        if refused_by_loop(fact):
            # `cause` was found by its id. It may be another message with the same id, which was answered and not refused.
            continue
        topic, offset = cause.topic, cause.offset
        before = last.get(topic, 0)
        if Origin(topic, cause.partition, offset) not in aside:
            before = max(before, last_holding.get(topic, 0))
        if offset < before:
            effects.reordered.append(f"{where}: {_name(fact)} answers {topic}/{offset} after {before}")
        mine = last_holding if cause.kind in _HOLDING[fact.desk] else last
        mine[topic] = max(offset, mine.get(topic, 0))


_HOLDING = {desk: {kind.kind for kind in kinds} for desk, kinds in HOLDING.items()}


def _controls(effects: Effects, facts: list[LoggedMessage]) -> None:
    """Checks that each required control, each required treatment, and each treatment that a pest makes necessary was
    ordered, and ordered only once.

    An order may be missing if the declaration was withdrawn. The order of a treatment may also be missing if the pest
    finding was retracted, or if the quarantine desk has given the goods up. If no treatment is known, one referral to
    an officer replaces the order.
    """
    ordered: dict[str, Counter[str]] = defaultdict(Counter)
    sought: dict[str, set[str]] = defaultdict(set)
    retracted: dict[tuple[str, str], int] = {}
    closed = {f.key for f in facts if f.kind == "DeclarationWithdrawn"}
    given_up = {f.key for f in facts if f.kind in ("TreatmentAbandoned", "QuarantineRefused")}
    for fact in facts:
        if fact.kind == "InspectionOrdered":
            ordered[fact.key][fact.body["control"]] += 1
        elif fact.kind == "TreatmentOrdered":
            ordered[fact.key][f"{fact.body['origin']}/{fact.body['attempt']}"] += 1
            sought[fact.key].add(_sought(fact.body["origin"], fact.body))
        elif fact.kind == "TreatmentReferred":
            ordered[fact.key][f"{_sought(fact.body['origin'], fact.body)}/referred"] += 1
            sought[fact.key].add(_sought(fact.body["origin"], fact.body))
        elif fact.kind == "FindingsRetracted":
            control, revision = fact.body["control"], fact.body["revision"]
            retracted[fact.key, control] = max(revision, retracted.get((fact.key, control), 0))
    for key, counts in ordered.items():
        effects.doubled += [f"{key}: {what} ordered {n} times" for what, n in counts.items() if n > 1]
    for fact in facts:
        if fact.key in closed:
            continue
        wanted: list[str] = []
        treated: list[str] = []
        if fact.kind == "ConsignmentAssessed":
            wanted = [control for control in fact.body["controls"] if control != "quarantine"]
            treated = ["risk/0"] if "quarantine" in fact.body["controls"] else []
        elif fact.kind == "PestIntercepted":
            control, revision = fact.body["control"], fact.body.get("revision", 0)
            treated = [f"{control}/{revision}"] if retracted.get((fact.key, control), 0) <= revision else []
        if fact.key not in given_up:
            wanted += [each for each in treated if each not in sought[fact.key]]
        for what in wanted:
            if what in treated or not ordered[fact.key][what]:
                effects.lost.append(f"{fact.key}: {what} never ordered")


def _sought(origin: str, body: Mapping[str, int]) -> str:
    """Returns a name for a treatment, which is made from the reason for the treatment: its origin, and the revision of
    the pest finding."""
    return f"{origin}/{body.get('finding', 0)}"


def _gate(effects: Effects, facts: list[LoggedMessage]) -> None:
    """Checks that a container may leave only if all goods in it were released or permitted to leave, and that the gate
    desk's statements are complete and numbered without gaps. Then checks the departures."""
    granted = {f.key for f in facts if f.kind == "ReleaseGranted"}
    _answers(effects, facts)
    versions: dict[str, list[int]] = defaultdict(list)
    allowed: set[str] = set()
    standing: dict[str, dict[str, LoggedMessage]] = defaultdict(dict)
    permitted = {(f.key, f.body["consignment_id"]) for f in facts if f.kind == "ExitPermitted"}
    for fact in facts:
        if fact.kind in ("ContainerMayLeave", "ContainerMustStay"):
            versions[fact.key].append(fact.body["version"])
        if fact.kind == "ContainerMayLeave":
            allowed.add(fact.key)
            open_ones = sorted({c for c in fact.body["consignments"] if (fact.key, c) not in permitted} - granted)
            if open_ones:
                effects.wrongly_released.append(f"{fact.key} may leave with {open_ones}, never released")
        if fact.kind in ("ContainerHeld", "ContainerFreed"):
            standing[fact.key][fact.body["consignment_id"]] = fact
        if fact.kind in AT_PORT:
            effects.at_port[fact.kind] += 1
    for box, numbers in versions.items():
        if numbers != list(range(1, len(numbers) + 1)):
            effects.reordered.append(f"{box}: gate versions {numbers}")
    for box, parts in standing.items():
        if _free(list(parts.values())) and box not in allowed:
            effects.lost.append(f"{box}: everything in it is released, and the gate never said that it may leave")
    _departures(effects, facts)


def _by_itself(fact: LoggedMessage) -> bool:
    """Returns whether the fact says that the gate desk itself ended a strike. Such a fact does not answer the request
    that caused it."""
    return fact.kind == "StrikeRetracted" and bool(fact.body.get("phrases"))


def _answers(effects: Effects, facts: list[LoggedMessage]) -> None:
    """Adds to `effects` each request to the gate desk that was answered more than once, each cause that ended the same
    visit more than once, and each report that ended a visit but has no answer of its own."""
    gate = [f for f in facts if f.desk == "gate" and not refused_by_loop(f)]
    answers = Counter(f.headers.get("causationid", "") for f in gate if f.kind in GATE_ANSWERS and not _by_itself(f))
    effects.doubled += [f"gate request {cause} answered {count} times" for cause, count in answers.items() if count > 1]
    ends = Counter(
        (f.headers.get("causationid", ""), f.key, f.body.get("visit", ""))
        for f in gate
        if f.kind in ("ContainerGatedOut", "VisitClosed")
    )
    effects.doubled += [f"{key}: {cause} ended a visit {n} times" for (cause, key, _), n in ends.items() if n > 1]
    for fact in gate:
        report = fact.body.get("report_id", "")
        if fact.kind in ("ContainerGatedOut", "VisitClosed") and report and report not in answers:
            effects.lost.append(f"{fact.key}: report {report} ended a visit and has no answer of its own")


OPENINGS = ("DISC", "GTIN")


def _departures(effects: Effects, facts: list[LoggedMessage]) -> None:
    """Checks that each container that left was allowed to leave at that time. For each consignment in it there must be a fact about
    its departure, after the fact that ends the visit."""
    by_container: dict[str, list[LoggedMessage]] = defaultdict(list)
    for fact in facts:
        if fact.desk == "gate":
            by_container[record_of(fact)].append(fact)
    for box, story in by_container.items():
        story.sort(key=lambda fact: int(fact.headers["sequence"]))
        departed = {f.key for f in story if f.kind == "ConsignmentGatedOut"}
        events = {f.body["report_id"]: f.body["event"] for f in story if f.kind == "EquipmentEventRecorded"}
        permitted = {f.body["consignment_id"] for f in story if f.kind == "ExitPermitted"}
        ended: set[str] = set()
        for number, fact in enumerate(story):
            if fact.kind in ("ContainerGatedOut", "VisitClosed", "GateAlarmRaised"):
                ended.add(fact.body.get("visit", ""))
            if fact.kind == "ContainerGatedOut":
                goods = set(fact.body["consignments"])
                effects.lost += [
                    f"{goods_id}: it left in {box} and was not told so" for goods_id in sorted(goods - departed)
                ]
                came_back = events.get(fact.body.get("report_id", "")) in OPENINGS
                if not came_back and not goods <= permitted and not _allowed(fact, story[:number]):
                    effects.wrongly_released.append(f"{box}: {_name(fact)}, and no yes stood then")
            elif fact.kind in ("ConsignmentGatedOut", "ConsignmentLeftUnreleased"):
                if fact.body.get("visit", "") not in ended:
                    effects.wrongly_released.append(f"{fact.key}: {_name(fact)} tells of no visit that ended")


def _allowed(out: LoggedMessage, before: list[LoggedMessage]) -> bool:
    """Returns whether the gate desk's latest statement about this visit allowed the departure `out`. `before`: the desk's facts until
    the departure."""
    left = datetime.fromisoformat(out.body["occurred_at"])
    visit, goods, yes = out.body.get("visit", ""), set(out.body["consignments"]), False
    for fact in before:
        if fact.kind not in ("ContainerMayLeave", "ContainerMustStay"):
            continue
        at = datetime.fromisoformat(fact.body["occurred_at"])
        if fact.kind == "ContainerMayLeave":
            same = fact.body.get("visit", "") == visit or bool(goods & set(fact.body["consignments"]))
            yes = yes or (same and at - FUTURE_SKEW <= left)
        elif at < left:
            yes = False
    return yes


def _free(last_statements: list[LoggedMessage]) -> bool:
    """Returns whether the release desk's last statements allow a container to leave through the land gate. `last_statements`: the last
    statement about each consignment in the container."""
    here = [f for f in last_statements if f.kind == "ContainerHeld" or f.body["released"]]
    if any(f.body.get("direction", "I") == "E" for f in here):
        return False  # goods for export leave by loading, not through the land gate
    return bool(
        here and all(f.kind == "ContainerFreed" for f in here) and len(here) >= max(f.body["shared_by"] for f in here)
    )


def _name(fact: LoggedMessage) -> str:
    return f"{fact.kind} {fact.id} at {fact.position}"
