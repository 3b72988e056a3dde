"""Do lists, the pages of goods and forms show what is true, in the reader's language, and do they offer a next step?
Each test repeats a fault that was seen on a picture of the page."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import orjson
import pytest

from schemas.gate import ConsignmentLeftUnreleased, ContainerFindingRecorded
from schemas.release import WatchPlaced
from schemas.vocabulary import ControlKind, Direction
from services.console.access.accounts import Accounts
from services.console.access.rights import Scope
from services.console.api.reference import FAULTS
from services.console.pages.formatting import Sight
from services.console.readmodel.database import open_engine
from services.shell.clock import world_us
from tests.console.border import DECLARANT, NOON, Border
from tests.console.still import Still, with_every_role
from tests.console.test_looked_at import example, part, text_of
from tests.people import admit

BOX = "CSQU3054383"


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = with_every_role(tmp_path)
    yield made
    made.stop()


def form(page: str, name: str) -> str:
    return part(page, f'id="act-{name}"', "</details>")


@pytest.mark.parametrize(("control", "papers"), [(ControlKind.DOCUMENTS, True), (ControlKind.INSPECTION, False)])
def test_an_officer_reads_before_the_answer_what_the_answer_does(
    still: Still, control: ControlKind, papers: bool
) -> None:
    """Only papers can be rectified. Goods that do not pass a physical control are refused."""
    goods = Border("DOES-1").lodged().accepted().assessed(control).held(f"inspection/{control.value}").ordered(control)
    still.tell(goods.messages)
    page = f"/consignments/{goods.id}"
    forms = [form(still.page(page), f"findings-{control.value}")]
    still.tell(goods.passed(control).messages[-1:])
    forms.append(form(still.page(page), f"correct-findings-{control.value}"))
    for shown in forms:
        assert ("not in order (papers are to be put right)" in shown) is papers
        assert ("not in order (the goods are refused)" in shown) is not papers
        assert "needed if one was found" in shown


def left_by_report(reference: str) -> Border:
    """Returns goods that left before their release, as the gate desk publishes it after a report about their
    container."""
    goods = Border(reference).lodged().accepted().assessed().held("arrival").reported("GTOT")
    return goods.gate_says(ConsignmentLeftUnreleased, why="left_before", reason="left before release", visit="visit-1")


def test_the_cause_of_what_the_gate_says_of_goods_is_found_on_the_page_of_the_container(still: Still) -> None:
    goods = left_by_report("CAUSE-1")
    still.tell(goods.messages)
    page, cause = still.page(f"/consignments/{goods.id}"), goods.messages[-1].cause
    assert f'href="/containers/{BOX}#m-{cause}">Cause: {BOX}</a>' in page
    assert f'id="m-{cause}"' in still.page(f"/containers/{BOX}")
    message = still.page(f"/consignments/{goods.id}/messages/{goods.messages[-1].id}")
    assert f'href="/containers/{BOX}#m-{cause}"' in message and f"/messages/{cause}" not in message


def test_no_page_names_a_cause_that_is_not_on_it_and_links_to_itself(still: Still) -> None:
    """If a watch holds goods, the cause is a message under the key of the watches, which is not on the page of the
    goods."""
    goods = Border("CAUSE-2").lodged().accepted().assessed().held("officer/1")
    still.tell(goods.messages[1:])
    page = still.page(f"/consignments/{goods.id}")
    assert set(re.findall(r'href="[^"]*#m-([^"]+)"', page)) <= set(re.findall(r'id="m-([^"]+)"', page))


def test_who_must_find_out_about_a_departure_is_led_to_the_form(still: Still) -> None:
    goods = left_by_report("FIND-1")
    still.tell(goods.messages)
    address = f"/containers/{BOX}#act-finding"
    for name in ("inspector", "release"):
        assert f'href="{address}"' in still.page(f"/consignments/{goods.id}", name=name)
        assert 'id="act-finding"' in still.page(f"/containers/{BOX}", name=name)
    for name in ("targeting", "declarant", "auditor"):
        assert address not in still.page(f"/consignments/{goods.id}", name=name), "no form of theirs"


def test_who_may_only_read_watches_sees_no_empty_card_and_no_empty_column(still: Still) -> None:
    goods = Border("WATCH-1")
    goods._say("release", example(WatchPlaced))
    still.tell(goods.messages)
    assert "Lift the watch" in still.page("/watches", name="release")
    page = still.page("/watches", name="auditor")
    assert "Lift the watch" not in page and "acts" not in page
    assert all(row.count("<td") == 4 for row in re.findall(r"<tr>\s*<td.*?</tr>", page, re.DOTALL))


def test_a_watch_says_whether_a_bill_or_a_declarant_is_watched(still: Still) -> None:
    goods, placed = Border("WATCH-2"), example(WatchPlaced)
    about = {"bill_no": ("BILL-1", ""), "declarant": ("", DECLARANT)}
    for number, (bill_no, declarant) in enumerate(about.values()):
        changed = {"watch_id": f"watch-{number}", "bill_no": bill_no, "declarant": declarant}
        goods._say("release", placed.model_copy(update=changed))
    still.tell(goods.messages)
    shown = text_of(still.page("/watches", name="auditor"))
    assert "Bill BILL-1" in shown and f"Declarant {DECLARANT}" in shown


@pytest.mark.parametrize(("direction", "label", "zh"), [("I", "Consignee", "收货人"), ("E", "Consignor", "发货人")])
def test_the_owner_of_exported_goods_is_not_called_their_consignee(
    still: Still, direction: str, label: str, zh: str
) -> None:
    goods = Border("OWNER-1").lodged(direction=Direction(direction)).accepted()
    still.tell(goods.messages)
    for language, sentence in (("en", label), ("zh", zh)):
        papers = part(still.page(f"/consignments/{goods.id}", language), 'aria-labelledby="papers"', "</section>")
        assert f"{sentence} {goods.declaration.consignee}" in papers


def test_a_release_of_some_of_the_goods_is_not_called_the_release(still: Still) -> None:
    goods = Border("PART-1", (BOX, "MSKU6011672")).lodged().accepted().assessed().held("arrival").partly_released(BOX)
    still.tell(goods.messages)
    decisions = part(still.page(f"/consignments/{goods.id}"), 'aria-labelledby="decisions"', "</section>")
    assert "Released in part, containers: 1; statement 2" in decisions


def test_a_release_of_some_packages_says_how_many(still: Still) -> None:
    goods = Border("PART-2", ()).lodged().accepted().assessed().held("arrival").partly_released()
    grant = orjson.loads(goods.messages[-1].value) | {"pieces": 7}
    still.tell([*goods.messages[:-1], replace(goods.messages[-1], value=orjson.dumps(grant))])
    for language, sentence in (("en", "Released in part, packages: 7;"), ("zh", "放行 部分放行：7 件，")):
        assert sentence in part(
            still.page(f"/consignments/{goods.id}", language), 'aria-labelledby="decisions"', "</section>"
        )


def test_a_treatment_that_an_officer_decided_on_is_not_said_to_wait_for_a_decision(still: Still) -> None:
    goods = Border("DECIDED-1").lodged().accepted().assessed().held("quarantine/risk").treatment_referred()
    still.tell(goods.treatment_waived().messages)
    decisions = part(still.page(f"/consignments/{goods.id}", "zh"), 'aria-labelledby="decisions"', "</section>")
    assert "决定及依据 由关员决定的检疫处理" in decisions and "关员准予免处理" in decisions


def test_a_key_that_may_be_used_for_all_that_its_account_may_is_not_read_as_a_list_of_rights() -> None:
    """A key that names every use is limited only by the rights of its account. In an older version the page listed all
    these uses, so a declarant's key seemed to allow officers' decisions."""
    detail = f"demo {' '.join(sorted(Scope))}"
    assert Sight("en", NOON).granted(detail, "key made") == "demo all that its account may do"
    assert Sight("zh", NOON).granted(f"{detail} until 2026-12-01T00:00+00:00", "key made") == (
        "demo 其账户的全部权限 至 12-01 08:00"
    )
    assert "gate question" in Sight("en", NOON).granted("demo gate read", "key made")


def test_an_authorisation_says_who_acts_for_whom(still: Still) -> None:
    engine = open_engine(still.url, writes=True)
    people, at = Accounts(engine), world_us()
    people.authorise("91370200163562681G", "AGENT-1", by="chief", at=at, from_us=at, until_us=None)
    people.end_authorisation("91370200163562681G", "AGENT-1", by="chief", at=at + 1)
    engine.dispose()
    for language, sentence in (("en", "to act for 91370200163562681G"), ("zh", "代理 91370200163562681G")):
        assert text_of(still.page("/grants", language)).count(sentence) == 2


def test_no_page_of_problems_shows_the_signs_with_which_programs_mark_code(still: Still) -> None:
    for code in ("", *[f"/{code}" for code in FAULTS]):
        for language in ("en", "zh"):
            shown = text_of(part(still.page(f"/problems{code}", language), "<main", "</main>"))
            assert "`" not in shown.partition("A request that reaches it")[0], code


def test_officers_of_an_office_may_take_back_a_finding_on_a_container_that_others_share(still: Still) -> None:
    """In an older version, the API accepted the retraction, but the page had no form for it, because goods of another
    office were in the container."""
    admit(still.url, "ours", "inspector", "", "4227")
    admit(still.url, "far", "inspector", "", "0100")
    ours = Border("SHARE-1").lodged().accepted().held("arrival")
    theirs = Border("SHARE-2").lodged(customs_office="2200").accepted().held("arrival")
    why = "the seal of the others"
    ours.gate_says(ContainerFindingRecorded, found="inside", lots=None, settled=(), reason=why, found_by="officer/9")
    still.tell([*theirs.messages, *ours.messages])
    shown = still.page(f"/containers/{BOX}", name="ours")
    assert (
        f'<option value="{ours.messages[-1].cause}">' in shown.split('id="act-retract-finding"')[1].split("</form>")[0]
    )
    assert "officer/9" not in shown and why not in shown
    assert "act-retract-finding" not in still.page(f"/containers/{BOX}", name="far")
    everywhere = still.page(f"/containers/{BOX}", name="inspector")
    assert "officer/9" in form(everywhere, "retract-finding")


def test_who_finds_nothing_reads_that_a_number_is_looked_up_whole(still: Still) -> None:
    for language, sentence in (("en", "whole number"), ("zh", "完整的报关单号")):
        assert sentence in text_of(still.page("/consignments?q=DEMOB&stage=lodged", language))


def test_what_is_no_number_of_a_container_is_not_shown_as_one_while_the_rows_are_behind(still: Still) -> None:
    """While the rows are behind, the gate's answer about a number without a row has the reason `stale`."""
    assert still.get(f"/api/v1/containers/{BOX}").json()["reason"] == "stale"
    assert still.get(f"/consignments?q={BOX}").headers["location"] == f"/containers/{BOX}"
    assert "DEMOB" in text_of(still.page("/consignments?q=DEMOB"))


def test_a_parked_message_is_marked_in_the_timeline(still: Still) -> None:
    goods = Border("ASIDE-1").lodged().accepted().assessed().held("arrival").arrival_reported()
    request = [one for one in goods.messages if one.kind == "ReportArrival"]
    goods.parked("release", 0)
    still.tell(goods.messages)
    entry = part(still.page(f"/consignments/{goods.id}"), f'<li id="m-{request[0].id}"', "</li>")
    assert "Parked" in entry
    still.tell(goods.unparked("release", 0).messages[-1:])
    assert "Parked" not in part(still.page(f"/consignments/{goods.id}"), f'<li id="m-{request[0].id}"', "</li>")


def test_who_may_send_no_form_has_no_mark_in_the_row_of_the_address_that_takes_them(still: Still) -> None:
    """Auditors and operations only read. In an older version, the table of rights had a mark for them at the addresses
    that accept officers' forms."""
    page = still.page("/rights")
    heads = re.findall(r"<th>([^<]*)</th>", page.split("POST /sign-in")[0].rpartition("<thead>")[2])[1:]
    for path in ("/consignments/{consignment_id}/act/{act}", "/containers/{container_no}/act/{act}"):
        row = re.search(rf"POST {re.escape(path)}</code></td>(.*?)</tr>", unescape(page))
        assert row
        marked = {head for head, cell in zip(heads, row[1].split("<td>")[1:], strict=True) if "●" in cell}
        assert "Inspector" in marked and not marked & {"Operations", "Auditor", "Administrator"}
    assert still.get("/consignments/x/act/hold", name="auditor", method="POST").status_code == 403


def test_the_page_of_a_list_says_of_what_it_counts(still: Still) -> None:
    goods = Border("COUNT-1").lodged().accepted()
    still.tell(goods.messages)
    assert "consignments 1 to 1" in text_of(still.page("/consignments"))


def test_what_stands_in_the_papers_begins_with_a_capital_letter(still: Still) -> None:
    goods = Border("CAPITAL-1").lodged().accepted().assessed().held("arrival").arrived().released()
    still.tell(goods.messages)
    papers = re.findall(r"<dt>([^<]+)</dt>", still.page(f"/consignments/{goods.id}").partition('id="papers"')[2])
    assert "Acceptance to release" in papers and all(each[:1] == each[:1].upper() for each in papers)


def sent(still: Still, language: str = "en", **fields: str) -> str:
    """Returns the page that answers a form with a faulty declaration."""
    typed = {"key": "k-1", "body": '{"reference": "MY-OWN-1", "packages": "many"}', **fields}
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = still.get("/lodge", language, "declarant", method="POST", content=urlencode(typed), headers=kind)
    assert answer.status_code == 422, answer.text
    return answer.text


def test_what_was_sent_and_not_taken_in_is_not_called_an_example(still: Still) -> None:
    for language, example_of, own in (
        ("en", "filled-in example", "what you sent"),
        ("zh", "填好的例子", "您提交的内容"),
    ):
        assert example_of in text_of(still.page("/lodge", language, "declarant"))
        shown = text_of(sent(still, language))
        assert "MY-OWN-1" in shown and example_of not in shown and own in shown


def test_who_corrects_a_rejected_paper_and_errs_again_still_reads_what_was_found(still: Still) -> None:
    goods = Border("AGAIN-1").lodged().rejected()
    still.tell(goods.messages)
    page = still.page(f"/lodge?again={goods.id}", name="declarant")
    assert f'<input type="hidden" name="again" value="{goods.id}">' in page
    shown = sent(still, again=goods.id)
    assert "/items/0/hs_code" in text_of(shown) and f'href="/consignments/{goods.id}"' in shown
    assert "/items/0/hs_code" not in text_of(sent(still)) and "Lodge it" in sent(still, again="nothing")


def test_the_link_that_brings_the_example_back_is_not_called_a_new_reference(still: Still) -> None:
    """In an older version, somebody who followed the link to get a new reference lost everything that was typed in."""
    assert "Begin anew with the example" in text_of(sent(still)) and "New reference" not in sent(still)


def test_a_declarants_own_number_of_a_paper_is_not_called_a_number_of_the_enterprise(still: Still) -> None:
    """企业编号 is the number under which customs have registered an enterprise. A declarant's own number of a declaration
    is 企业自编号."""
    goods = Border("OWN-NUMBER-1").lodged().accepted()
    still.tell(goods.messages)
    pages = [still.page(path, "zh") for path in ("/consignments", f"/consignments/{goods.id}", "/lodge")]
    assert all("企业自编号" in page and "企业编号" not in page for page in pages)
    assert "企业自编号 OWN-NUMBER-1" in text_of(pages[1])
