"""Does any answer show goods of another company or office? The test works as `test_masks` does, with people of other
companies and offices."""

from collections.abc import Iterator

import pytest

from schemas.release import LiftWatch, PlaceWatch, WatchLifted, WatchPlaced
from services.console.access.rights import ASKS, FORMS, REACH, READ_WATCHES, Reach, Role, Who
from tests.console.border import DECLARANT
from tests.console.planting import BOX, GOODS, OFFICE, Planted, planted
from tests.console.quiet import Quiet, quiet
from tests.console.test_masks import FORM, HTML, everything

OTHER = "91310115MA1H7L0T3Q"
CUT = [role for role in Role if REACH[role] in (Reach.COMPANY, Reach.OFFICE)]
OF_WATCHES = (*[kind.kind for kind in (PlaceWatch, LiftWatch, WatchPlaced, WatchLifted)], "watch_facts")


@pytest.fixture(scope="module")
def planted_rows() -> Planted:
    return planted()


@pytest.fixture(scope="module")
def console(planted_rows: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quiet]:
    with quiet(tmp_path_factory.mktemp("foreign")) as running:
        running.run(*planted_rows.statements)
        yield running


@pytest.mark.parametrize("role", CUT)
def test_no_way_out_tells_a_word_of_goods_that_are_out_of_reach(
    console: Quiet, planted_rows: Planted, role: Role
) -> None:
    key = console.acting_as(f"foreign-{role}", roles=role.value, company=OTHER, office="2218")
    sees_watches = Who("x", frozenset({role})).may(READ_WATCHES)
    leaks = {}
    for way, _, _, text in everything(console, planted_rows, key):
        found = [planted_rows.where[token] for token in planted_rows.found(text)]
        if found := [each for each in found if not (sees_watches and each.startswith(OF_WATCHES))]:
            leaks[way] = sorted(found)
        rest = text.replace(GOODS, "") if GOODS in way else text
        if GOODS in rest:
            leaks[way] = [GOODS]
    assert leaks == {}


SUBJECTS = {"consignments": f"/consignments/{GOODS}", "containers": f"/containers/{BOX}"}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("own", [True, False], ids=["own", "foreign"])
def test_each_form_is_taken_from_those_alone_who_may_ask_it_of_goods_within_reach(
    console: Quiet, role: Role, own: bool
) -> None:
    """The forms are sent without input, so the answer names the missing input if the account may send the form. A form
    that needs no input gets 503, because there is no broker."""
    company, office = (DECLARANT, OFFICE) if own else (OTHER, "2218")
    key = console.acting_as(f"form-{role}-{own}", roles=role.value, company=company, office=office)
    wrong = {}
    for page, address in SUBJECTS.items():
        for act, kind in FORMS[page].items():
            answer = console.http.post(f"{address}/act/{act}", headers={**key, **HTML, **FORM}, content=b"pest=x")
            may = role in ASKS[kind].roles
            reaches = own or REACH[role] in (Reach.CONTAINERS, Reach.ANY)
            expected = {403} if not may else {422, 503} if reaches else {403, 404}
            if may and reaches and REACH[role] is Reach.CONTAINERS and page == "consignments":
                # A role that reaches only containers gets no page of goods. So the answer is 404 and does not name the
                # missing input.
                expected = {404}
            if answer.status_code not in expected:
                wrong[act] = answer.status_code
    assert wrong == {}
