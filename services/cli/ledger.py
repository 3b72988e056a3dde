"""Did every request have exactly one effect? The topics are read independently, with kafka-python and without the code of any
desk.

A consignment ends when it is rejected, released, refused or withdrawn, or has left unreleased. For a consignment that
has not ended, the ledger counts what it waits for and who has to act.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any

from schemas.bounds import MOST_PARTS, too_many_parts
from schemas.parking import MessageParked, Origin, ParkedDiscarded
from schemas.topics import FACTS_AND_REQUESTS, KINDS, PARKED, PORT_FACTS, ROLES
from services.cli.copies import compare, without_copy
from services.cli.effects import Effects, examine, refused_by_loop
from services.cli.log import LoggedMessage, parking_of, read
from services.cli.mistakes import STATEMENTS, MistakenMoves, RealTime, Stays, look_for
from services.shell.access import Access

ENDS = {
    "DeclarationRejected": "rejected",
    "ReleaseGranted": "released",
    "ReleaseRefused": "refused",
    "DeclarationWithdrawn": "withdrawn",
}
LOOKED = ("InspectionPassed", "PestIntercepted")
OF_A_CONTROL = (*LOOKED, "InspectionFailed", "RectificationRequested", "FindingsRetracted")
TREATED = ("TreatmentVerified", "TreatmentWaived")
TAKEN_BACK = ("TreatmentRetracted", "TreatmentDecisionRetracted")
OF_A_TREATMENT = (*TREATED, *TAKEN_BACK, "TreatmentAbandoned", "QuarantineRefused")
COPY_SECONDS = 15
"""A copy for ports that is not there after this many seconds is missing. The broker ends an open transaction earlier."""

_ANSWERED = frozenset(kind.kind for topic in FACTS_AND_REQUESTS if topic.role == "requests" for kind in topic.carries)
"""The kinds of requests that must be answered by a fact which names the request as its cause. These are all kinds of
requests."""


@dataclass
class Ledger(Effects, MistakenMoves):
    """The result of the audit. Each list of faults has one line with the evidence for each fault; all lists are empty
    if nothing is wrong. Whether a container left or was kept by mistake is checked only if the caller of `audit` knows
    the real visits.

    `foreign`: how many messages on fact topics do not name their desk as the writer; readers that check the writer ignore them.
    `strangers`: those of the `foreign` messages that have a known kind. `forged`: messages that name their desk as the writer
    but cannot come from that desk. `parked`: how many messages were parked; `discarded`: how many of these an operator
    discarded. `copies`: how many messages on the topic for ports were compared with their facts.
    """

    lodged: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    repeated: int = 0
    facts: int = 0
    foreign: int = 0
    strangers: list[str] = field(default_factory=list)
    parked: int = 0
    discarded: int = 0
    copies: int = 0

    @property
    def faults(self) -> dict[str, list[str]]:
        """Returns each list of faults by the name of its field. A field that holds a list is a list of faults, except
        `strangers`, so a new list cannot be forgotten by a caller."""
        lists = {each.name: getattr(self, each.name) for each in fields(self) if each.default_factory is list}
        return {name: lines for name, lines in lists.items() if name != "strangers"}

    @property
    def clean(self) -> bool:
        return not any(self.faults.values())


def audit(kafka: Access | str, stays: Stays | None = None) -> Ledger:
    """Reads a cluster and returns the ledger of its messages. The topic for ports is read first, then all facts,
    requests and parked messages. `stays`: the visits of each container, if the caller knows them.

    Copies of facts that were written meanwhile are read afterwards. An open transaction may hide them for a while.
    """
    copies = list(read(kafka, [PORT_FACTS]))
    entries = list(read(kafka, [t.name for t in (*FACTS_AND_REQUESTS, *PARKED)]))
    deadline = time.monotonic() + COPY_SECONDS
    while missing := {(fact.id, fact.key) for fact in without_copy(copies, entries)}:
        copies += [copy for copy in read(kafka, [PORT_FACTS]) if (copy.id, copy.key) in missing]
        if time.monotonic() > deadline:
            break
        time.sleep(1)
    return judge(entries, stays, copies)


def judge(
    entries: Iterable[LoggedMessage],
    stays: Stays | None = None,
    copies: Iterable[LoggedMessage] | None = None,
    real_time: RealTime | None = None,
    *,
    from_the_first: bool = False,
) -> Ledger:
    """Returns the ledger of these entries. The entries of each partition must be in their order; the partitions may be
    in any order. `stays`: the visits of each container, if the caller knows them; `copies`: the messages on the topic
    for ports, None if they were not read; `from_the_first`: as in `copies.without_copy`. `real_time`: returns the real
    time of an event time; needed if the desks had a sandbox clock.

    A message that names its desk as the writer but does not have the shape of its kind is listed as forged, and the
    other messages are judged.
    """
    read, ledger = list(entries), Ledger()
    if copies is not None:
        compared = list(copies)
        ledger.copies = len(compared)
        compare(ledger, compared, read, from_the_first=from_the_first)
    of_copies = deepcopy(ledger)
    try:
        return _judge(ledger, read, stays, real_time)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError):
        ledger, genuine = of_copies, []
        for entry in read:
            if wrong := _misshapen(entry):
                ledger.forged.append(f"{entry.kind} {entry.id} at {entry.position}: {wrong}")
            else:
                genuine.append(entry)
        return _judge(ledger, genuine, stays, real_time)


def _misshapen(entry: LoggedMessage) -> str:
    """Returns what is wrong with the shape of a message on a topic that only its desk may write; an empty text if nothing is."""
    role = ROLES[entry.topic]
    if role == "requests" or not entry.written_by_its_desk:
        return ""
    if role == "parked":
        fields = ("topic", "partition", "offset")
        return "" if isinstance(entry.body, dict) and all(f in entry.body for f in fields) else "no announcement"
    kind, number = KINDS.get(entry.kind), entry.headers.get("sequence", "")
    if kind is None or not (number.isascii() and number.isdigit() and len(number) < 19):
        return "no fact of a desk"
    if too_many_parts(entry.value or b""):
        return f"not of its kind's shape, more than {MOST_PARTS} parts"
    try:
        kind.model_validate_json(entry.value or b"", extra="ignore")
    except ValueError as error:
        return f"not of its kind's shape, {str(error).splitlines()[0]}"
    return ""


def _judge(ledger: Ledger, entries: list[LoggedMessage], stays: Stays | None, real_time: RealTime | None) -> Ledger:
    by_key: dict[str, list[LoggedMessage]] = defaultdict(list)
    copies: dict[str, list[LoggedMessage]] = defaultdict(list)
    positions: dict[str, str] = {}
    facts: list[LoggedMessage] = []
    aside: dict[str, set[Origin]] = defaultdict(set)
    genuine, discarded = _genuine(ledger, entries, aside)
    for entry in genuine:
        ledger.kinds[entry.kind] += 1
        if ROLES[entry.topic] == "requests":
            if (entry.topic, entry.partition, entry.offset) in discarded:
                continue
            ledger.repeated += entry.id in copies
            copies[entry.id].append(entry)  # copies of a request that was sent several times count as one request
        elif entry.id in positions:
            ledger.doubled.append(f"{entry.kind} {entry.id} at {entry.position} and {positions[entry.id]}")
        else:
            positions[entry.id] = entry.position
            facts.append(entry)
        by_key[entry.key].append(entry)
    refused = {position for fact in facts if (position := refused_by_loop(fact))}
    # A request may have been sent several times. The loop may have refused an earlier copy, for example because its time was in the future. The
    # first copy that was not refused counts.
    requests = {
        name: next((copy for copy in lie if copy.position not in refused), lie[0]) for name, lie in copies.items()
    }
    ledger.requests, ledger.facts = len(requests), len(facts)
    causes = {fact.headers.get("causationid", "") for fact in facts}
    for request in requests.values():
        if request.kind in _ANSWERED:
            _answered(ledger, request, causes, by_key[request.key])
    for fact in facts:
        if fact.kind == "DeclarationLodgedAgain" and fact.id not in causes:
            ledger.lost.append(f"{fact.kind} {fact.id} of {fact.key}: no fact names it as its cause")
    for key, story in by_key.items():
        _consignment(ledger, key, story)
    examine(ledger, requests.values(), facts, aside)
    if stays is not None:
        look_for(ledger, entries, stays, real_time)
    return ledger


def _genuine(
    ledger: Ledger, entries: Iterable[LoggedMessage], aside: dict[str, set[Origin]]
) -> tuple[list[LoggedMessage], set[Origin]]:
    """Returns the facts and requests, and the origins of the messages that operators discarded. Messages on fact topics that the
    desk did not write are left out. Fills `aside`: service → the origins of its parked messages."""
    genuine: list[LoggedMessage] = []
    discarded: set[Origin] = set()
    for entry in entries:
        if ROLES[entry.topic] == "parked":
            fact = parking_of(entry)
            if isinstance(fact, MessageParked):
                ledger.parked += fact.attempt == 1
                aside[fact.service].add(fact.origin)
            elif isinstance(fact, ParkedDiscarded):
                ledger.discarded += 1
                discarded.add(fact.origin)
        elif ROLES[entry.topic] == "requests" or entry.written_by_its_desk:
            genuine.append(entry)
        else:
            ledger.foreign += 1
            if entry.kind in KINDS:
                ledger.strangers.append(f"{entry.kind} {entry.id} at {entry.position}")
    return genuine, discarded


def _answered(ledger: Ledger, request: LoggedMessage, causes: set[str], story: list[LoggedMessage]) -> None:
    if request.id in causes:
        return
    if request.kind == "LodgeDeclaration" and any(e.kind == "DeclarationAccepted" for e in story):
        # The declaration was accepted with another request id. Older software versions did not answer a repeated request, so this request does not
        # count as lost.
        return
    ledger.lost.append(f"{request.kind} {request.id} of {request.key}: no fact names it as its cause")


def _consignment(ledger: Ledger, key: str, story: list[LoggedMessage]) -> None:
    kinds = Counter(e.kind for e in story)
    if not kinds["LodgeDeclaration"] and not kinds["DeclarationLodgedAgain"]:
        return
    ledger.lodged += 1
    for kind in ("DeclarationAccepted", "ConsignmentAssessed"):
        if kinds[kind] > 1:
            ledger.doubled.append(f"{key}: {kind} {kinds[kind]} times")
    wrong = {e.body["wrong"] for e in story if e.kind == "ArrivalRetracted"}
    arrival_facts = [e for e in story if e.kind == "ArrivalRecorded" and e.headers.get("causationid", "") not in wrong]
    arrivals = Counter(map(_arrived, arrival_facts))
    ledger.doubled += [
        f"{key}: ArrivalRecorded of {what} {count} times" for what, count in arrivals.items() if count > 1
    ]
    for chain in _chains(story).values():
        sequences = [int(e.headers["sequence"]) for e in chain]
        if sequences != sorted(sequences):
            ledger.reordered.append(f"{key}: {chain[0].topic} sequences {sequences}")
    statements = [e for e in story if e.kind in STATEMENTS]
    versions = [e.body["version"] for e in statements]
    # Versions must rise. They may have gaps, because a statement that only the gate desk gets also takes a version.
    if versions != sorted(set(versions)):
        ledger.reordered.append(f"{key}: release versions {versions}")
    if kinds["ReleaseGranted"]:
        _rightly_released(ledger, key, story)
    if kinds["DeclarationAccepted"] and not kinds["ConsignmentAssessed"]:
        ledger.lost.append(f"{key}: accepted, never assessed")
    # a consignment may be rejected first, and accepted when it is declared again
    if kinds["DeclarationRejected"] and not kinds["DeclarationAccepted"]:
        ledger.ends["rejected"] += 1
    elif _left_unreleased(story):
        ledger.ends["left unreleased"] += 1
    elif (
        statements
        and statements[-1].kind in ENDS
        and not (statements[-1].kind == "ReleaseGranted" and statements[-1].body.get("holds"))
    ):
        ledger.ends[ENDS[statements[-1].kind]] += 1
    elif statements and statements[-1].kind in ("ConsignmentHeld", "ReleaseGranted"):  # a release with holds is partial
        ledger.ends["waiting"] += 1
        for hold in statements[-1].body["holds"]:
            ledger.waits[f"{hold['owner']}: {hold['hold_id'].split('/')[0]}"] += 1
    else:
        ledger.ends["nowhere"] += 1
        ledger.lost.append(f"{key}: no end, and nobody's move")


def _left_unreleased(story: list[LoggedMessage]) -> bool:
    """Returns whether the gate desk's last statement about one of the containers is that it left without release."""
    last: dict[str, bool] = {}
    for entry in story:
        if entry.kind in ("ConsignmentGatedOut", "ConsignmentLeftUnreleased", "DepartureRetracted"):
            left = entry.kind == "ConsignmentLeftUnreleased"
            last[entry.body["container_no"]] = left or entry.body.get("released") is False
    return any(last.values())


def _arrived(fact: LoggedMessage) -> str:
    """Returns what an arrival reports: containers, a number of pieces, or everything. Two arrivals must not report the same."""
    boxes, pieces = fact.body.get("containers") or (), fact.body.get("pieces")
    return " ".join(boxes) or ("everything" if pieces is None else f"{pieces} pieces")


def _chains(story: list[LoggedMessage]) -> dict[str, list[LoggedMessage]]:
    chains: dict[str, list[LoggedMessage]] = defaultdict(list)
    for entry in story:
        # topics of departures are left out, because their sequence numbers count the facts of a container, not of a consignment
        if ROLES[entry.topic] != "requests" and not entry.topic.endswith("-departures"):
            chains[entry.topic].append(entry)
    return chains


def _rightly_released(ledger: Ledger, key: str, story: list[LoggedMessage]) -> None:
    """Checks that a release was right: every control that the risk desk required was answered, every pest has its
    treatment, and the goods had arrived.

    If the release is still in force, the answers must still be in force, too. None of them may have been retracted
    since, and no answer with a higher revision may contradict them.
    """
    assessed = next((e.body for e in story if e.kind == "ConsignmentAssessed"), None)
    if assessed is None:
        ledger.wrongly_released.append(f"{key}: released without assessment")
        return
    answered = {e.body["control"] for e in story if e.kind in ("InspectionPassed", "PestIntercepted")}
    treated = {e.body["origin"] for e in story if e.kind in ("TreatmentVerified", "TreatmentWaived")}
    open_controls = {c for c in assessed["controls"] if c != "quarantine"} - answered
    if "quarantine" in assessed["controls"] and "risk" not in treated:
        open_controls.add("quarantine")
    last = {
        e.body["control"]: _revision(e) for e in sorted([e for e in story if e.kind in OF_A_CONTROL], key=_revision)
    }
    met = [e for e in story if e.kind == "PestIntercepted" and _revision(e) == last[e.body["control"]]]
    pests = {e.body["control"] for e in met} - treated
    if open_controls or pests:
        ledger.wrongly_released.append(f"{key}: released with open {sorted(open_controls | pests)}")
    declared = [box["container_no"] for box in assessed["containers"]]
    arrivals = [e.body for e in story if e.kind == "ArrivalRecorded"]
    here = _here(declared, arrivals, [e.body for e in story if e.kind == "GoodsTransferred"])
    for granted in [e.body for e in story if e.kind == "ReleaseGranted"]:
        missing = sorted(set(granted["containers"]) - here)
        if missing or not arrivals:
            ledger.wrongly_released.append(f"{key}: released before arrival {missing}".rstrip(" []"))
            break
    if _left_unreleased(story) and [e for e in story if e.kind in STATEMENTS][-1].kind == "ReleaseGranted":
        ledger.wrongly_released.append(f"{key}: released after it had left without release")
    if [e for e in story if e.kind in STATEMENTS][-1].kind == "ReleaseGranted":
        _still_rightly(ledger, key, assessed["controls"], story)
        _still_here(ledger, key, declared, story)


def _here(
    declared: list[str], arrivals: list[Any], transfers: list[Any], came: Iterable[str] = frozenset()
) -> frozenset[str]:
    """Returns the containers in which the goods may be: those in which they arrived, and those into which they were then
    transferred. `transfers`: in the order of the log. `came`: containers whose arrival is known from other facts."""
    here = {*came, *[number for body in arrivals for number in body.get("containers") or ()]}
    if any(not body.get("containers") and body.get("pieces") is None for body in arrivals):
        here.update(declared)
    for body in transfers:
        if body["container_no"] in here:
            here.update(body["targets"])
    return frozenset(here)


def _still_here(ledger: Ledger, key: str, declared: list[str], story: list[LoggedMessage]) -> None:
    """Checks that the goods can be in the containers of the last release. Arrivals and strippings that were retracted
    do not count. But a container whose arrival was retracted counts as arrived if a terminal reported that it came, or
    if it left or was stripped with these goods."""
    wrong = {e.body["wrong"] for e in story if e.kind == "ArrivalRetracted"}
    void = {e.body["report_id"] for e in story if e.kind == "TransferRetracted"}
    last_kinds = {
        e.body["container_no"]: e.kind for e in story if e.kind in ("ContainerArrived", "ContainerArrivalRetracted")
    }
    transfers = [e.body for e in story if e.kind == "GoodsTransferred" and e.body["report_id"] not in void]
    came = {number for number, kind in last_kinds.items() if kind == "ContainerArrived"}
    came |= {e.body["container_no"] for e in story if e.kind == "ConsignmentGatedOut"}
    came |= {body["container_no"] for body in transfers}
    of_arrivals = [e for e in story if e.kind == "ArrivalRecorded"]
    arrivals = [e.body for e in of_arrivals if e.headers.get("causationid", "") not in wrong]
    granted = [e.body for e in story if e.kind == "ReleaseGranted"][-1]
    missing = sorted(set(granted["containers"]) - _here(declared, arrivals, transfers, came))
    if missing or not (arrivals or came):
        where = f" in {', '.join(missing)}" if missing else ""
        ledger.wrongly_released.append(f"{key}: released, and that the goods are here{where} was taken back")


def _still_rightly(ledger: Ledger, key: str, controls: list[str], story: list[LoggedMessage]) -> None:
    """Checks that the latest answers still allow the release. The latest answer about a control or a treatment is the fact with
    the highest revision. A treatment is an answer to the pest finding whose revision it names."""
    looks: dict[str, LoggedMessage] = {}
    for fact in sorted([e for e in story if e.kind in OF_A_CONTROL], key=_revision):
        looks[fact.body["control"]] = fact
    treatments: dict[str, LoggedMessage] = {}
    for fact in sorted([e for e in story if e.kind in OF_A_TREATMENT], key=_finding_and_revision):
        treatments[fact.body["origin"]] = fact
    reopened = sorted(c for c in controls if c in looks and looks[c].kind not in (*LOOKED, "InspectionFailed"))
    for control, look in looks.items():
        treatment = treatments.get(control)
        if look.kind == "PestIntercepted" and treatment and int(treatment.body.get("finding", 0)) < _revision(look):
            reopened.append(control)
        elif treatment and int(treatment.body.get("finding", 0)) < _revision(look):
            # the treatment answers an earlier pest finding, which was corrected or retracted since
            del treatments[control]
    reopened += [origin for origin, treatment in treatments.items() if treatment.kind in TAKEN_BACK]
    if reopened:
        ledger.wrongly_released.append(f"{key}: released, and {reopened} was taken back")
    failed = [*looks.values(), *treatments.values()]
    if any(e.kind in ("InspectionFailed", "TreatmentAbandoned", "QuarantineRefused") for e in failed):
        ledger.wrongly_released.append(f"{key}: released after a failed control")


def _finding_and_revision(fact: LoggedMessage) -> tuple[int, int]:
    """Returns which finding a fact about a treatment answers, and the revision of that answer. Of two facts about the same treatment, the
    one with the higher pair is the later."""
    return int(fact.body.get("finding", 0)), _revision(fact)


def _revision(fact: LoggedMessage) -> int:
    return int(fact.body.get("revision", 0))
