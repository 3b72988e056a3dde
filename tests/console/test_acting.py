"""Does a page say which officer has to act, and may that officer do it by the table of rights?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.hold_ids import of_departure, of_lapse, of_officer, of_watch
from schemas.vocabulary import Owner
from services.console.access.acting import requests_for, roles_for
from services.console.access.rights import BOXES, GOODS, ROUTES, AccessRule, Role, Who
from services.console.api.documents import owner_words
from services.console.language.words import TEXTS
from services.console.readmodel.consignment import STEPS, AwaitedCode, Mover
from tests.console.border import Border
from tests.console.still import Still

LODGED, ARRIVED, LEFT = "/api/v1/declarations", f"{GOODS}/arrival", f"{BOXES}/gate-outs"
FOUND, TREATED, DECIDED = f"{GOODS}/findings", f"{GOODS}/treatments", f"{GOODS}/treatment-decisions"
LIFTED, LOOKED = f"{GOODS}/holds/lift", f"{BOXES}/findings"
WAITS: dict[tuple[str, Mover], str] = {
    ("declaration", Mover.DECLARANT): LODGED,
    (AwaitedCode.ACCEPTANCE, Mover.DECLARATION): "",
    (AwaitedCode.ASSESSMENT, Mover.RISK): "",
    (AwaitedCode.HOLDS, Mover.RELEASE): "",
    (AwaitedCode.PARKED, Mover.OPERATIONS): "",
    (AwaitedCode.ARRIVAL, Mover.CARRIER): ARRIVED,
    (AwaitedCode.GATE_OUT, Mover.CARRIER): LEFT,
    (AwaitedCode.LOADING, Mover.CARRIER): LEFT,
    (AwaitedCode.GATE_FINDING, Mover.OFFICER): LOOKED,
    (of_departure("CSQU3054383"), Mover.OFFICER): LOOKED,
    (of_officer("request"), Mover.OFFICER): LIFTED,
    (of_watch("watch"), Mover.OFFICER): LIFTED,
    (of_lapse(1), Mover.OFFICER): LIFTED,
    **{(code, Mover.INSPECTION): FOUND for code in AwaitedCode if code.startswith("inspection/")},
    **{(code, Mover.DECLARANT): LODGED for code in AwaitedCode if code.startswith("inspection/")},
    **{(code, Mover.QUARANTINE): TREATED for code in AwaitedCode if code.startswith("quarantine/")},
    **{(code, Mover.OFFICER): DECIDED for code in AwaitedCode if code.startswith("quarantine/")},
}
"""What goods wait for, and whose move it is → the route by which the mover ends the wait; empty if no request of a
person can end it."""
SEVERAL = {AwaitedCode.OFFICER: of_officer("request"), AwaitedCode.GATE: of_departure("CSQU3054383")}


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def test_whatever_goods_wait_for_is_known_with_everybody_who_has_to_act() -> None:
    awaited = {SEVERAL.get(code, code.value) for code in AwaitedCode}
    assert awaited <= {str(what) for what, _ in WAITS} and {mover for _, mover in WAITS} == set(Mover)
    assert set(STEPS) <= {what for what, _ in WAITS}


@pytest.mark.parametrize(("awaited", "mover"), list(WAITS), ids=lambda each: str(each))
def test_who_is_named_may_do_it_and_nobody_else(awaited: str, mover: Mover) -> None:
    route = WAITS[awaited, mover]
    rule = ROUTES["POST", route] if route else AccessRule(frozenset(), None)
    named = roles_for(awaited, mover)
    assert isinstance(rule, AccessRule) and set(named) == set(rule.roles), (awaited, mover, named)
    for kind in requests_for(awaited, mover):
        assert {role for role in Role if Who("x", frozenset({role})).may_ask(kind)} == set(named)


def test_codes_of_a_newer_version_name_nobody() -> None:
    assert roles_for(of_officer("1"), "officer") == [Role.TARGETING, Role.RELEASE]
    assert roles_for("quarantine/inspection", "officer") == [Role.INSPECTOR]
    assert roles_for("of_a_newer_version", "officer") == roles_for("officer/1", "of_a_newer_version") == []


def test_the_words_of_the_others_name_their_roles_already() -> None:
    """Only the mover `officer` may stand for different roles, depending on what goods wait for. Each other mover always
    stands for the same roles."""
    roles = {mover: {tuple(roles_for(what, mover)) for what, whose in WAITS if whose is mover} for mover in Mover}
    assert roles[Mover.INSPECTION] == {(Role.INSPECTOR,)} and roles[Mover.QUARANTINE] == {(Role.TREATMENT,)}
    assert roles[Mover.CARRIER] == {(Role.CARRIER, Role.TERMINAL)}
    assert roles[Mover.DECLARANT] == {(Role.DECLARANT, Role.AGENT)}
    assert owner_words("officer") == TEXTS["owners.officer"], "of a hold of a newer version it is not known which"


@pytest.mark.parametrize(
    ("hold", "owner", "zh", "en", "roles"),
    [
        (
            "officer/1",
            Owner.OFFICER,
            "布控关员或放行关员",
            "targeting officer or release officer",
            ["targeting", "release"],
        ),
        (
            "gate/CSQU3054383",
            Owner.OFFICER,
            "查验关员或放行关员",
            "inspector or release officer",
            ["inspector", "release"],
        ),
        ("quarantine/inspection", Owner.OFFICER, "查验关员", "inspector", ["inspector"]),
        ("quarantine/risk", Owner.QUARANTINE, "检疫处理单位", "treatment unit", ["treatment"]),
        ("inspection/documents", Owner.INSPECTION, "查验关员", "inspection officer", ["inspector"]),
    ],
)
def test_pages_and_answers_name_the_officer_in_both_languages(
    still: Still, hold: str, owner: Owner, zh: str, en: str, roles: list[str]
) -> None:
    goods = Border(f"ACT-{hold.replace('/', '-')}").lodged().accepted().assessed().held(hold, owner=owner)
    still.tell(goods.messages)
    answer = still.get(f"/api/v1/consignments/{goods.id}", headers={"accept": "application/json"}).json()
    waiting = answer["consignment"]["waiting"]
    assert (waiting["owner"], waiting["roles"]) == (owner.value, roles), "the older value stays beside the newer one"
    assert waiting["text"]["zh"].endswith(f"轮到{zh}") and waiting["text"]["en"].endswith(f"; {en} to act")
    assert [each["roles"] for each in answer["consignment"]["holds"]] == [roles]
    for language, name in (("zh", zh), ("en", en)):
        for page in (f"/consignments/{goods.id}", "/board", "/consignments"):
            assert name in still.page(page, language), (page, language)
