"""Can anybody act on goods of others through another role, a shared container, or rows that are being rebuilt?"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event

from schemas.declaration import WithdrawDeclaration
from schemas.envelope import Request
from schemas.gate import (
    LiftContainerHold,
    PermitExit,
    PlaceContainerHold,
    RecordContainerFinding,
    RetractContainerFinding,
    RetractStrike,
)
from schemas.inspection import RecordFindings
from schemas.release import LiftHold, PlaceHold, RetractLift
from schemas.vocabulary import consignment_id
from services.console.access.rights import Role, Who
from services.console.api import answers, goods_access
from services.console.api.context import ConsoleContext
from services.console.api.goods_access import inside, may_act, may_name, may_read
from services.console.api.problems import Problem
from services.console.api.request_producer import Asker
from services.console.readmodel import tables as t
from services.console.readmodel.container_rows import MOST_INSIDE
from services.console.readmodel.database import open_engine
from services.console.readmodel.progress import Progress
from services.console.readmodel.queries import ReadModelQueries, of_row
from services.console.settings import ConsoleSettings
from services.shell.clock import now, stopwatch
from tests.loops import finish

COMPANY, OTHER = "91370200163562681G", "91310115MA1H7L0T3Q"
OURS, THEIRS, NOBODYS = [consignment_id(COMPANY, name) for name in ("OURS", "THEIRS", "NOBODYS")]
SHARED, ALONE, EMPTY, UNKNOWN = "CSQU3054383", "RGHU0000014", "MSKU0000010", "TGHU0000019"
GOODS: tuple[type[Request], ...] = (RecordFindings, LiftHold)
BOXES: tuple[type[Request], ...] = (PermitExit, RecordContainerFinding, PlaceContainerHold)
OFFICER = Who("officer/1", frozenset({Role.INSPECTOR, Role.RELEASE}), "", "4218")


@pytest.fixture
def context(url: str) -> Iterator[ConsoleContext]:
    """Rows of goods of the offices 4218 and 2218 in one box, of goods of 2218 alone in another box, and of goods that
    nobody has declared yet."""
    engine = open_engine(url, writes=True)
    goods = ((OURS, COMPANY, "4218"), (THEIRS, OTHER, "2218"), (NOBODYS, "", ""))
    with engine.begin() as connection:
        for name, declarant, office in goods:
            row = {"consignment_id": name, "declarant": declarant, "customs_office": office}
            connection.execute(t.CONSIGNMENTS.insert().values(row))
        for box, name in ((SHARED, OURS), (SHARED, THEIRS), (ALONE, THEIRS)):
            connection.execute(t.CONSIGNMENT_CONTAINERS.insert().values(container_no=box, consignment_id=name))
    settings = ConsoleSettings(database_url=url)
    yield ConsoleContext(
        settings, ReadModelQueries(engine), Asker(settings, engine), Progress(), ReadModelQueries(engine)
    )
    engine.dispose()


def complete(context: ConsoleContext) -> None:
    """Marks the rows as complete."""
    assert isinstance(context.progress, Progress)
    context.progress.caught_up((now(), stopwatch()))


def status(context: ConsoleContext, who: Who, kind: type[Request], subject: str) -> int:
    """The status with which the request is refused; 202 if it is accepted."""
    try:
        finish(may_act(context, who, kind, subject))
    except Problem as problem:
        return problem.status
    return 202


def test_to_read_everything_as_an_auditor_is_no_right_to_act_on_goods_of_other_offices(context: ConsoleContext) -> None:
    complete(context)
    both = OFFICER._replace(roles=OFFICER.roles | {Role.AUDITOR, Role.ADMINISTRATOR})
    for who in (OFFICER, both):
        assert [status(context, who, kind, each) for kind in GOODS for each in (OURS, THEIRS)] == [202, 404] * len(
            GOODS
        )
        assert [status(context, who, kind, each) for kind in BOXES for each in (SHARED, ALONE)] == [202, 403] * len(
            BOXES
        )


def test_in_a_shared_box_an_officer_lets_only_lots_of_the_own_office_out(context: ConsoleContext) -> None:
    finish(may_name(context, OFFICER, PermitExit, OURS))
    finish(may_name(context, OFFICER, PermitExit, NOBODYS))
    finish(may_name(context, OFFICER._replace(office="0000"), PermitExit, THEIRS))
    with pytest.raises(Problem, match="no_reach"):
        finish(may_name(context, OFFICER, PermitExit, THEIRS))


def test_while_rows_are_made_anew_goods_without_rows_are_held_by_every_office_and_let_go_by_none(
    context: ConsoleContext,
) -> None:
    unknown = consignment_id(COMPANY, "NOT-READ-YET")
    letting: tuple[tuple[type[Request], str], ...] = (
        *((kind, goods) for kind in (RecordFindings, LiftHold) for goods in (unknown, NOBODYS)),
        *((kind, EMPTY) for kind in (PermitExit, LiftContainerHold, RecordContainerFinding)),
    )
    assert [status(context, OFFICER, *each) for each in letting] == [503] * len(letting)
    for kind, subject in ((PlaceHold, unknown), (RetractLift, unknown), (PlaceContainerHold, EMPTY)):
        assert status(context, OFFICER, kind, subject) == 202
    assert status(context, OFFICER, RecordFindings, OURS) == 202, "whose it is stands in its row"
    complete(context)
    assert [status(context, OFFICER, *each) for each in letting] == [202] * len(letting)


def test_a_terminal_that_inspects_reads_no_messages_about_boxes_of_other_offices(context: ConsoleContext) -> None:
    """An account can no longer be both a terminal's and an inspector's, but an older software version may have left
    such an account."""
    both = OFFICER._replace(roles=OFFICER.roles | {Role.TERMINAL})
    assert inside(context.rows, both, ALONE) is None, "as a terminal it asks about every box"
    assert not may_read(context, both, ALONE) and not may_read(context, both, SHARED) and may_read(context, both, OURS)


GENERAL = OFFICER._replace(office="0000")
DISTRICT = OFFICER._replace(office="4200")
AUDITOR = Who("auditor/1", frozenset({Role.AUDITOR}))
DECLARANT = Who("clerk/1", frozenset({Role.DECLARANT}), COMPANY)


def listed(context: ConsoleContext, who: Who) -> set[str]:
    """The ids of the goods that this person sees in the list of all goods."""
    parts = answers.found(context, answers.Wanted(), who)
    shown, _ = answers.page(context, parts, "", 50, lambda row: answers.goods_to(who, of_row(row)))
    return {view.consignment_id for view in shown}


def test_while_rows_are_made_anew_goods_whose_office_is_not_read_yet_are_read_by_no_office(
    context: ConsoleContext,
) -> None:
    """In an older version, every office could read goods whose office was not in the rows yet, with their holds,
    messages and containers."""
    with context.rows._engine.begin() as connection:
        connection.execute(t.CONSIGNMENTS.update().values(lodged_us=1_795_000_000_000_000, stage="lodged"))
        for box in (SHARED, UNKNOWN):
            connection.execute(t.CONSIGNMENT_CONTAINERS.insert().values(container_no=box, consignment_id=NOBODYS))
    for who in (OFFICER, DISTRICT):
        assert goods_access.consignment_of(context, who, NOBODYS) is None
        assert (
            not may_read(context, who, NOBODYS)
            and not may_read(context, who, UNKNOWN)
            and not may_read(context, who, EMPTY)
        )
        assert listed(context, who) == {OURS}
        hidden = answers.gate_view(context, who, UNKNOWN)
        assert (hidden.may_leave, hidden.consignments, hidden.waiting_for) == (False, [], [])
        assert NOBODYS not in answers.gate_view(context, who, SHARED).consignments
        assert may_read(context, who, OURS), "whose it is stands in its row"
    for who in (GENERAL, AUDITOR):
        assert goods_access.consignment_of(context, who, NOBODYS) is not None and may_read(context, who, UNKNOWN)
        assert NOBODYS in listed(context, who)
    assert listed(context, DECLARANT) == {OURS}
    complete(context)
    assert goods_access.consignment_of(context, OFFICER, NOBODYS) is not None and may_read(context, OFFICER, EMPTY)
    assert listed(context, OFFICER) == {OURS, NOBODYS}, "nobody has declared them: a hold of any office waits for them"


IN_MAY, IN_JUNE = "visit-may", "visit-june"
JUNE_US = 1_795_000_000_000_000


def learned(context: ConsoleContext, who: Who, box: str) -> tuple[str, int, int]:
    """Returns what this person reads about a container: the reason of the gate's answer, the number of lots, and the
    number of reports."""
    view = answers.gate_view(context, who, box)
    return view.reason, view.lots, len(answers.reports_of(context, who, box, 10)[0])


def stand(context: ConsoleContext, box: str, *parts: dict[str, object]) -> None:
    """Writes the rows of a container with these parts, whose visit began in June with a discharge. No other event of
    the visit was reported."""
    row = {"container_no": box, "visit": IN_JUNE, "visit_us": JUNE_US, "word": "opened", "seq": 1}
    came = {"container_no": box, "report_id": "r1", "event": "DISC", "visit": IN_JUNE, "recorded_us": JUNE_US}
    with context.rows._engine.begin() as connection:
        connection.execute(t.CONTAINERS.insert().values(row))
        connection.execute(t.CONTAINER_REPORTS.insert().values(came))
        for part in parts:
            connection.execute(t.CONSIGNMENT_CONTAINERS.insert().values(container_no=box, **part))


@pytest.mark.parametrize("answered", ["rejected", "refused", "discarded"])
def test_a_paper_that_was_never_accepted_makes_no_box_known_to_whoever_wrote_its_number(
    context: ConsoleContext, answered: str
) -> None:
    complete(context)
    with context.rows._engine.begin() as connection:
        connection.execute(
            t.CONSIGNMENTS.update().where(goods_access.C.consignment_id == OURS).values(declared=answered)
        )
    theirs = {"consignment_id": THEIRS, "word": "held", "declared": True, "shared_by": 1}
    stand(context, UNKNOWN, theirs, {"consignment_id": OURS, "declared": True})
    owner = DECLARANT._replace(company=OTHER)
    assert learned(context, owner, UNKNOWN) == ("held", 1, 1), "else there was nothing to learn"
    assert learned(context, DECLARANT, UNKNOWN) == learned(context, DECLARANT, EMPTY)
    assert status(context, OFFICER, PlaceContainerHold, UNKNOWN) == 403, "nor is it a box of the office that it names"
    foreign = OFFICER._replace(office="2218")
    assert may_read(context, foreign, UNKNOWN), "and it takes no messages from the office of the goods"
    assert answers.gate_view(context, AUDITOR, UNKNOWN).consignments == [THEIRS]


def test_papers_that_were_never_accepted_push_no_goods_out_of_the_answer(context: ConsoleContext) -> None:
    with context.rows._engine.begin() as connection:
        rejected = [consignment_id(COMPANY, f"REJECTED-{number}") for number in range(MOST_INSIDE)]
        goods = [{"consignment_id": each, "declarant": COMPANY, "declared": "rejected"} for each in rejected]
        connection.execute(t.CONSIGNMENTS.insert(), goods)
        released = goods_access.C.consignment_id == THEIRS
        connection.execute(t.CONSIGNMENTS.update().where(released).values(declared="accepted", word="released"))
        parts = [{"container_no": UNKNOWN, "consignment_id": each, "declared": True} for each in rejected]
        connection.execute(t.CONSIGNMENT_CONTAINERS.insert(), parts)
    stand(context, UNKNOWN, {"consignment_id": THEIRS, "word": "released", "declared": True, "shared_by": 1})
    assert answers.gate_view(context, AUDITOR, UNKNOWN).lots == 1


@pytest.mark.parametrize("how", [{"gone": True}, {"ended": IN_MAY}, {"struck": True}], ids=["left", "ended", "struck"])
def test_goods_that_are_not_in_a_box_any_more_make_its_next_visit_known_to_nobody(
    context: ConsoleContext, how: dict[str, object]
) -> None:
    complete(context)
    theirs = {"consignment_id": THEIRS, "word": "held", "declared": True, "shared_by": 1}
    stand(context, UNKNOWN, theirs, {"consignment_id": OURS, "word": "released", "declared": True, **how})
    assert learned(context, DECLARANT, UNKNOWN) == learned(context, DECLARANT, EMPTY)
    assert learned(context, DECLARANT._replace(company=OTHER), UNKNOWN) == ("held", 1, 1)
    assert status(context, OFFICER, LiftContainerHold, UNKNOWN) == 403
    assert not may_read(context, OFFICER._replace(office="2218"), UNKNOWN), (
        "messages of earlier visits name their goods"
    )


def test_who_took_goods_off_a_shared_box_by_mistake_puts_them_back(context: ConsoleContext) -> None:
    """In an older version, the officer who had struck the goods could not retract the strike. After a strike, the
    container no longer belongs to the office of the goods, and officers of other offices may not name the goods."""
    complete(context)
    stand(context, UNKNOWN, {"consignment_id": THEIRS, "word": "held"}, {"consignment_id": OURS, "struck": True})
    assert (
        status(context, OFFICER, RetractStrike, UNKNOWN)
        == status(context, OFFICER, RetractContainerFinding, UNKNOWN)
        == 202
    )
    finish(may_name(context, OFFICER, RetractStrike, OURS))
    with pytest.raises(Problem, match="no_reach"):
        finish(may_name(context, OFFICER, RetractStrike, THEIRS))
    assert status(context, OFFICER, LiftContainerHold, UNKNOWN) == 403
    assert status(context, OFFICER._replace(office="0100"), RetractStrike, UNKNOWN) == 403


@pytest.mark.parametrize(("visit", "known"), [(IN_MAY, True), ("visit-april", False), ("visit", False)])
def test_while_an_alarm_about_their_visit_keeps_a_box_the_officers_of_its_former_goods_act_on_it(
    context: ConsoleContext, visit: str, known: bool
) -> None:
    """Nobody reported the departure, and the container came again with goods of another office. The goods from before
    may still be in it."""
    complete(context)
    stand(context, UNKNOWN, {"consignment_id": THEIRS}, {"consignment_id": OURS, "word": "held", "ended": IN_MAY})
    blocking = f"report-0\tvisit-march\nreport-1\t{visit}\nreport-2\tvisit-0"
    with context.rows._engine.begin() as connection:
        connection.execute(t.CONTAINERS.update().values(blocking=blocking, alarm="departure_not_reported"))
    for kind in (RecordContainerFinding, PlaceContainerHold, PermitExit):
        assert status(context, OFFICER, kind, UNKNOWN) == (202 if known else 403)
    assert (learned(context, OFFICER, UNKNOWN)[0] == "alarm") is known
    assert learned(context, DECLARANT, UNKNOWN) == learned(context, DECLARANT, EMPTY), (
        "a company learns nothing of later visits"
    )


def test_the_latest_visit_of_a_box_stays_known_to_those_whose_goods_were_in_it(context: ConsoleContext) -> None:
    complete(context)
    stand(context, UNKNOWN, {"consignment_id": OURS, "word": "released", "declared": True, "ended": IN_JUNE})
    assert learned(context, DECLARANT, UNKNOWN)[2] == 1
    with context.rows._engine.begin() as connection:
        connection.execute(t.CONTAINERS.update().values(visit_end="gated_out", word="gated_out"))
        connection.execute(t.CONSIGNMENT_CONTAINERS.update().values(gone=True))
    assert learned(context, DECLARANT, UNKNOWN) == ("gated_out", 0, 1)
    with context.rows._engine.begin() as connection:
        connection.execute(t.CONTAINERS.update().values(visit="visit-july", visit_end="", word="opened"))
    assert learned(context, DECLARANT, UNKNOWN) == learned(context, DECLARANT, EMPTY)
    assert status(context, OFFICER, PlaceContainerHold, UNKNOWN) == 202, (
        "nobody's goods are in it: it stays their office's"
    )
    assert status(context, OFFICER._replace(office="2218"), PlaceContainerHold, UNKNOWN) == 403


def test_reports_of_a_shared_box_tell_no_bill_of_others(context: ConsoleContext) -> None:
    complete(context)
    with context.rows._engine.begin() as connection:
        for name, bill in ((OURS, "OURS-1"), (THEIRS, "THEIRS-1")):
            mine = goods_access.C.consignment_id == name
            connection.execute(t.CONSIGNMENTS.update().where(mine).values(bill_no=bill))
        for bill in ("ours 1", "THEIRS-1"):
            stripped = {"container_no": SHARED, "report_id": bill, "event": "STRP", "bill": bill, "recorded_us": 1}
            connection.execute(t.CONTAINER_REPORTS.insert().values(stripped))
    bills = {
        who: sorted([each.bill for each in answers.reports_of(context, who, SHARED, 10)[0]])
        for who in (DECLARANT, OFFICER, AUDITOR)
    }
    assert bills == {DECLARANT: ["", "ours 1"], OFFICER: ["", "ours 1"], AUDITOR: ["THEIRS-1", "ours 1"]}


@pytest.mark.parametrize(
    "how", [{"declared": "rejected"}, {"gone": True}, {"struck": True}], ids=lambda how: next(iter(how))
)
def test_alarms_are_listed_for_those_offices_that_may_read_about_the_box(
    context: ConsoleContext, how: dict[str, Any]
) -> None:
    complete(context)
    stand(context, UNKNOWN, {"consignment_id": THEIRS, "word": "held"}, {"consignment_id": OURS, "declared": True})
    about = {"kind": "GateAlarmRaised", "subject": UNKNOWN, "alarm": "left_unreleased", "reason": "a tip"}
    parts = t.CONSIGNMENT_CONTAINERS
    with context.rows._engine.begin() as connection:
        connection.execute(t.ALARMS.insert().values(place=1, raised_us=JUNE_US, **about))
        connection.execute(t.CONTAINERS.update().values(blocking="report-1\tvisit-june", alarm="left_unreleased"))

    def alarms(who: Who) -> tuple[int, int]:
        listed, _ = answers.alarm_page(context, who, None, None, "", 10)
        return len(listed), len(answers.board(context, who).blocked)

    assert alarms(OFFICER) == alarms(OFFICER._replace(office="2218")) == (1, 1)
    table = t.CONSIGNMENTS if "declared" in how else parts
    with context.rows._engine.begin() as connection:
        connection.execute(table.update().where(table.c.consignment_id == OURS).values(how))
    assert learned(context, OFFICER, UNKNOWN) == learned(context, DECLARANT, EMPTY), (
        "nothing else is told about the box either"
    )
    assert (alarms(OFFICER), alarms(OFFICER._replace(office="2218"))) == ((0, 0), (1, 1))
    fact = {"key": UNKNOWN, "kind": "GateAlarmRaised", "id": "m-1", "cause": "", "sequence": 1, "recorded_us": JUNE_US}
    with context.rows._engine.begin() as connection:
        connection.execute(t.FACTS.insert().values(place=1, body=f'{{"waiting_for":["{OURS}"]}}', **fact))
    named = (0, 0) if how == {"declared": "rejected"} else (1, 0)
    assert alarms(OFFICER) == named, "an alarm that names goods is told to their office"


def test_goods_of_others_cost_as_many_queries_as_goods_that_nobody_has_declared(context: ConsoleContext) -> None:
    """Anybody can compute the id of a consignment from its declarant and reference. If the answers took longer for goods
    that exist, a competitor could measure which references a company has used."""
    complete(context)
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(context.rows._engine, "before_cursor_execute", count)

    def cost(question: Callable[[str], object], subject: str) -> int:
        before = statements
        assert question(subject) in (False, None, 404)
        return statements - before

    questions: tuple[Callable[[str], object], ...] = (
        lambda subject: may_read(context, DECLARANT, subject),
        lambda subject: goods_access.consignment_of(context, DECLARANT, subject),
        lambda subject: status(context, DECLARANT, WithdrawDeclaration, subject),
    )
    unknown = consignment_id(OTHER, "NEVER-USED")
    assert [cost(each, THEIRS) for each in questions] == [cost(each, unknown) for each in questions]
