"""Does each page offer only links that its reader may follow, show names at the usual places, show an end as final, and
show each act as one line? Each test repeats a fault that was seen on a picture of the page."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from schemas.declaration import DeclarationRejected, Finding
from schemas.envelope import Message
from schemas.gate import ConsignmentLeftUnreleased, GateAlarmRaised
from schemas.release import WatchLifted, WatchPlaced
from schemas.vocabulary import ControlKind, Direction, Severity, StageName
from services.console.access.rights import ROUTES, AccessRule, Role
from services.console.readmodel import tables as t
from services.console.readmodel.tables import OPEN_STAGES
from tests.console.border import Border
from tests.console.still import Still, with_every_role
from tests.people import admit

EXAMPLES = Path(__file__).parents[2] / "schemas/examples"
HREF = re.compile(r'href="(/[^"?#]*)')


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = with_every_role(tmp_path)
    yield made
    made.stop()


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def part(html: str, opening: str, closing: str) -> str:
    found = re.search(rf"{opening}.*?{closing}", html, re.DOTALL)
    assert found, opening
    return text_of(found[0])


def steps(still: Still, goods: Border) -> str:
    return part(still.page(f"/consignments/{goods.id}"), '<ol class="steps">', "</ol>")


def rule_of(path: str) -> Any:
    """The rule in the table of rights for the address to which a link leads. `path`: this address."""
    found = ROUTES.get(("GET", path))
    shapes = ((re.sub(r"{[^}]*}", "[^/]+", shape), rule) for (method, shape), rule in ROUTES.items() if method == "GET")
    found = found or next((rule for shape, rule in shapes if re.fullmatch(shape, path)), None)
    assert found is not None, f"{path} leads nowhere"
    return found


def example(kind: type[Message]) -> Message:
    """The published example of this kind."""
    return kind.read_stored((EXAMPLES / f"{kind.kind}.json").read_bytes())


def test_nobody_sees_a_link_to_a_page_that_his_role_may_not_open(still: Still) -> None:
    aside = Border("LINK-1").lodged().accepted().assessed(ControlKind.INSPECTION).held("inspection/inspection")
    aside = aside.ordered().parked()
    pages = ["/", "/consignments", f"/consignments/{aside.id}", "/containers/CSQU3054383", "/activity", "/alarms"]
    for filled in (False, True):
        if filled:
            still.tell(aside.messages)
        for role in Role:
            for page in pages:
                answer = still.get(page, name=role.value)
                if answer.status_code != 200:
                    continue
                for path in {each for each in HREF.findall(answer.text) if not each.startswith("/static/")}:
                    rule = rule_of(unescape(path))
                    if isinstance(rule, AccessRule) and rule.roles:
                        assert role in rule.roles, f"{role} on {page}: {path}"


def test_a_watch_is_one_line_of_who_did_what_and_leads_to_the_watches(still: Still) -> None:
    names = ("request_id", "sender", "kind", "subject", "asked_us")
    requests = [
        (f"w{start}-{n}", "o7", "PlaceWatch", f"watches/{n}", start + n) for start in (1000, 2000) for n in (0, 4, 9)
    ]
    requests.append(("h1", "o7", "PlaceHold", "goods-1", 3000))
    with still.store.engine.begin() as connection:
        connection.execute(t.LODGEMENTS.insert(), [dict(zip(names, row, strict=True)) for row in requests])
    page = still.page("/activity")
    assert page.count(">Watch asked<") == 2, "one for each watch, not one for each partition"
    assert "watches/" not in text_of(page) and page.count('<a class="number" href="/watches">Watches</a>') == 2
    assert page.count(">Hold asked<") == 1


@pytest.mark.parametrize("end", ["rejected", "withdrawn", "refused"])
def test_goods_that_have_ended_have_no_steps_that_are_still_to_come(still: Still, end: str) -> None:
    consignment = Border(f"END-{end}").lodged()
    consignment = consignment.rejected() if end == "rejected" else getattr(consignment.accepted().assessed(), end)()
    still.tell(consignment.messages)
    shown = steps(still, consignment)
    assert "—" not in shown and shown.split()[-3].lower() == end


def test_goods_that_are_under_way_show_the_steps_that_are_to_come(still: Still) -> None:
    consignment = Border("WAY-1").lodged().accepted().assessed().held("arrival")
    still.tell(consignment.messages)
    assert steps(still, consignment).endswith("arrived — released — gated out —")


def test_released_goods_without_a_container_are_not_called_free_to_leave_and_ended(still: Still) -> None:
    consignment = Border("LOOSE-1", ()).lodged().accepted().assessed().held("arrival").arrived().released()
    still.tell(consignment.messages)
    for page in ("/consignments", f"/consignments/{consignment.id}"):
        assert "no container has to pass the gate" in text_of(still.page(page)), page
    assert "gated out" not in steps(still, consignment)


def test_goods_without_a_declaration_number_are_named_by_their_reference(still: Still) -> None:
    rejected = Border("NAME-1").lodged().rejected()
    back = (
        Border("NAME-2", ("MSKU6011672",)).lodged().accepted().assessed().held("arrival").arrived().released().revoked()
    )
    still.tell([*rejected.messages, *back.messages])
    assert f'href="/consignments/{rejected.id}">NAME-1</a>' in still.page("/consignments")
    latest = part(still.page("/"), '<section class="card" aria-labelledby="latest">', "</section>")
    assert f"{back.number} Release called back" in latest


def test_a_notice_whose_reason_is_masked_does_not_begin_with_a_dot(still: Still) -> None:
    consignment = Border("ALARM-1").opened()
    consignment.gate_says(
        GateAlarmRaised,
        gate="G3",
        reason="a departure was told",
        alarm="left_undeclared",
        report_id="out-1",
        visit="visit-1",
        waiting_for=(),
        blocks=True,
    )
    still.tell(consignment.messages)
    shown = part(
        still.page("/containers/CSQU3054383", name="terminal"),
        '<div class="notice bad" role="alert" id="block">',
        "</div>",
    )
    assert "·" not in shown


def test_what_a_terminal_types_for_a_departure_is_called_the_gate(still: Still) -> None:
    form = part(still.page("/containers/CSQU3054383", name="terminal"), 'id="act-gate-out"', "</details>")
    assert " Gate " in form and "Record a gate-out" not in form


def test_a_wrong_choice_of_a_list_is_one_fault_that_names_the_field(still: Still) -> None:
    answer = still.get("/consignments?waiting_for=nonsense")
    shown = text_of(answer.text)
    assert answer.status_code == 422 and "/query/waiting_for " in shown
    assert "AwaitedCode" not in shown and "literal" not in shown and shown.count("/query/waiting_for") == 1


def test_the_page_of_a_problem_has_no_gaps_of_a_sentence(still: Still) -> None:
    for code in ("invalid", "too_large", "no_right", "other_format"):
        for language in ("zh", "en"):
            assert not re.search(r"\{\w+\}", text_of(still.page(f"/problems/{code}", language))), code


def test_everybody_finds_the_stages_in_the_same_order(still: Still) -> None:
    found = [re.findall(r"\?stage=(\w+)", still.page("/consignments", name=name)) for name in ("declarant", "release")]
    assert found[0] == found[1] and found[0][: len(OPEN_STAGES)] == [stage.plain.value for stage in OPEN_STAGES]
    assert set(found[0]) == {name.value for name in StageName}


def test_a_hold_on_goods_that_nobody_lodged_is_called_a_hold(still: Still) -> None:
    consignment = Border("NOBODY-1").held("officer/1")
    still.tell(consignment.messages)
    shown = text_of(still.page("/unmatched"))
    assert "an officer holds it" in shown and "an officer to lift the hold" not in shown


def twofold() -> Border:
    """A declaration with two findings: an error, for which it was rejected, and a warning, with which alone it would
    have been accepted."""
    consignment = Border("TWO-1").lodged()
    mild, hard = Severity.WARNING, Severity.ERROR
    finding = Finding(severity=mild, pointer="/trade_mode", code="trade_mode_unlisted", seen="9999")
    wrong = Finding(severity=hard, pointer="/net_mass_kg", code="net_above_gross", seen="480 > 100")
    fact = DeclarationRejected(
        consignment_id=consignment.id,
        occurred_at=consignment.at,
        declaration=consignment.declaration,
        findings=(finding, wrong),
    )
    consignment._say("declaration", fact)
    return consignment


def test_why_a_paper_was_rejected_stands_apart_from_what_alone_would_not_have_rejected_it(still: Still) -> None:
    consignment = twofold()
    still.tell(consignment.messages)
    page = still.page(f"/consignments/{consignment.id}", name="declarant")
    shown = part(page, '<section class="card" aria-labelledby="decisions">', "</section>")
    errors, _, warnings = shown.partition("Warnings")
    assert "/net_mass_kg" in errors and "/trade_mode" not in errors and "/trade_mode" in warnings


def test_who_corrects_a_rejected_paper_reads_beside_it_what_was_found(still: Still) -> None:
    consignment = twofold()
    still.tell(consignment.messages)
    shown = text_of(still.page(f"/lodge?again={consignment.id}", name="declarant"))
    assert "/net_mass_kg" in shown and "480 > 100" in shown and consignment.id not in shown
    errors, _, warnings = shown.partition("Warnings")
    assert "/net_mass_kg" in errors and "/trade_mode" not in errors and "/trade_mode" in warnings
    assert "What was found" not in text_of(still.page("/lodge", name="declarant"))


def test_a_parked_message_lies_at_a_desk_and_not_at_a_person(still: Still) -> None:
    consignment = Border("DESK-1").lodged().accepted().parked("inspection")
    still.tell(consignment.messages)
    for page in ("/parked", f"/consignments/{consignment.id}"):
        shown = text_of(still.page(page))
        assert "inspection desk" in shown, page
    assert "查验岗" in still.page("/parked", "zh")


def test_countries_have_names(still: Still) -> None:
    consignment = Border("LAND-1").lodged().accepted()
    still.tell(consignment.messages)
    assert "俄罗斯 RU → 中国 CN" in text_of(still.page(f"/consignments/{consignment.id}", "zh"))
    assert "Russia RU → China CN" in text_of(still.page(f"/consignments/{consignment.id}"))


def test_a_list_of_alarms_that_was_narrowed_does_not_say_that_there_are_none(still: Still) -> None:
    assert "No alarms are as chosen" in still.page("/alarms?subject=nothing")
    assert "No alarms are as chosen" not in still.page("/alarms")


def test_a_finding_on_a_departure_is_awaited_once(still: Still) -> None:
    consignment = Border("GONE-1").lodged().accepted().assessed().held("arrival", "gate/CSQU3054383")
    consignment.gate_says(ConsignmentLeftUnreleased, why="left_before", reason="left before release", visit="visit-1")
    still.tell(consignment.messages)
    shown = part(still.page(f"/consignments/{consignment.id}"), '<p class="waits', "</p>")
    assert "an officer's finding on the departure without release" in shown
    assert "also the report of arrival" in shown and "also an officer's finding" not in shown


def test_a_terminal_may_choose_its_own_reports_to_correct_and_is_told_that_others_are_of_another(still: Still) -> None:
    admit(still.url, "terminal-1", "terminal", "", "")
    consignment = Border("REPORT-1").reported("DISC")
    still.tell(consignment.messages)
    own, of_another = [still.page("/containers/CSQU3054383", name=name) for name in ("terminal-1", "terminal")]
    assert "discharged" in part(own, 'id="act-retract"', "</details>")
    assert 'id="act-retract"' not in of_another
    assert "another party" in part(of_another, 'aria-labelledby="reports"', "</section>")


def test_what_a_colleague_told_is_told_by_ones_own_company_and_may_be_corrected(still: Still) -> None:
    """The gate desk lets every account of the company that reported an event correct the report."""
    for name, company in (("terminal-1", "CNTAO-4"), ("terminal-2", "CNTAO-4"), ("terminal-3", "CNTAO-5")):
        admit(still.url, name, "terminal", company, "")
    still.tell(Border("REPORT-2").reported("DISC").messages)
    for name, own in (("terminal-2", True), ("terminal-3", False)):
        page = still.page("/containers/CSQU3054383", name=name)
        assert ('id="act-retract"' in page, "another party" in text_of(page)) == (own, not own)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [("XX", "not the number of a container"), ("CSQU3054384", "check digit"), ("CSQU3054383", "")],
)
def test_a_number_that_no_container_has_is_said_to_be_none(still: Still, number: str, sentence: str) -> None:
    shown = text_of(still.page(f"/containers/{number}", name="terminal"))
    assert sentence in shown
    assert bool(sentence) is ('id="number"' in still.page(f"/containers/{number}", name="terminal"))


def test_exports_are_loaded_and_do_not_pass_the_gate_to_the_land(still: Still) -> None:
    consignment = (
        Border("OUT-1").lodged(direction=Direction.EXPORT).accepted().assessed().held("arrival").arrived().released()
    )
    still.tell(consignment.messages)
    assert steps(still, consignment).endswith("loaded —")
    assert "gated out" not in steps(still, consignment)


def test_what_has_no_content_is_an_empty_cell_which_a_small_screen_leaves_out(still: Still) -> None:
    consignment = Border("EMPTY-1")
    consignment._say("release", example(WatchPlaced))
    consignment._say("release", example(WatchLifted))
    still.tell(consignment.messages)
    assert '<td data-label="Lift the watch"></td>' in still.page("/watches")
    assert '<td data-label="Company"></td>' in still.page("/accounts")
