"""Which goods get which control, and why? The rule table with its dates, the credit grades and the rates of the draw.

A rule that changes becomes a new row with its date, and `RULE_SET` changes. The rules of one rule set always give the
same answer for the same declaration, whenever it is read.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from hashlib import sha256

from schemas.bounds import shown
from schemas.codes.checks import CONTRADICTIONS, CheckCode
from schemas.codes.countries import NOWHERE, alpha2
from schemas.codes.hs import ELECTRICITY
from schemas.codes.trade import SOLID_WOOD_KINDS
from schemas.codes.uscc import is_name
from schemas.declaration import Declaration, Finding
from schemas.phrases import Phrase, Values, phrase, sentence
from schemas.risk import Draw, FiredRule
from schemas.vocabulary import ControlKind, CreditGrade, Direction, Lane

RULE_SET = "2026-11-30"
"""The version of the table, which is a day: rules with a later date are not in force. The table is used as soon as the
program that contains it runs. Every assessment names the version of the table that was used."""

RATES: dict[CreditGrade, Decimal] = {
    CreditGrade.ADVANCED_CERTIFIED: Decimal("0.0057"),
    CreditGrade.CERTIFIED: Decimal("0.0169"),
    CreditGrade.REGULAR: Decimal("0.0244"),
    CreditGrade.DISCREDITED: Decimal("0.8476"),
    CreditGrade.SERIOUSLY_DISCREDITED: Decimal("0.8476"),
}
"""Grade → the share of consignments that are drawn for inspection: the rates that customs measured in 2019."""


@dataclass(frozen=True)
class Goods:
    """The data of a declaration that the rules use. `grade`: that of the graded party (`graded_party`); `warnings`: those of the
    declaration desk; `chapters` and `headings`: the first 2 and the first 4 digits of its HS codes."""

    declaration: Declaration
    grade: CreditGrade
    warnings: tuple[Finding, ...] = ()

    @cached_property
    def headings(self) -> frozenset[str]:
        return frozenset([item.hs_code[:4] for item in self.declaration.items])

    @cached_property
    def chapters(self) -> frozenset[str]:
        return frozenset([heading[:2] for heading in self.headings])


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `fires` returns whether it applies, and `evidence` returns a phrase with the values on which that depends.
    `why_zh` and `why_en` are for people at the desk."""

    name: str
    effective_from: date
    why_zh: str
    why_en: str
    controls: tuple[ControlKind, ...]
    fires: Callable[[Goods], bool]
    evidence: Callable[[Goods], Phrase]


LIVE_HEADINGS = frozenset({"0301"})
LIVE_CHAPTERS = frozenset({"01", "06"})
PLANT_CHAPTERS = frozenset({"06", "07", "08", "10", "12", "44"})
FOOD_CHAPTERS = frozenset({"02", "04"})
FISH_CHAPTERS = frozenset({"03"})
CHEMICAL_CHAPTERS = frozenset({"28", "29", "36"})
CLOTHING_CHAPTERS = frozenset({"61", "62"})
BULK_CHAPTERS = frozenset({"25", "26", "27"})
WASTE_HEADINGS = frozenset({"2620", "3825", "3915", "4004", "4707", "6310", "7204", "7404", "7602"})
DUAL_USE_HEADINGS = frozenset({"8401", "9013", "9014", "9022"})
WOOD_PEST_COUNTRIES = frozenset({"CA", "JP", "KR", "MX", "PT", "TW", "US"})
"""The countries in which the pine wood nematode lives. Solid wood that comes from there, or with goods that were made there, is
inspected."""

USD_PER_UNIT: dict[str, Decimal] = {
    "USD": Decimal(1),
    "EUR": Decimal("1.1"),
    "GBP": Decimal("1.3"),
    "CNY": Decimal("0.14"),
    "HKD": Decimal("0.13"),
    "JPY": Decimal("0.0065"),
    "KRW": Decimal("0.0007"),
    "TWD": Decimal("0.03"),
    "THB": Decimal("0.03"),
    "RUB": Decimal("0.01"),
    "INR": Decimal("0.012"),
}
"""Currency → US dollars per unit. The rates are rough: enough to distinguish a high price per kilogram from a low one, but not
for duty. If a currency is not listed, its prices cannot be judged, and an officer reads the papers."""
DEAR_USD_PER_KG = Decimal(10_000)
CHEAP_USD_PER_KG = Decimal("0.02")


def _chapters(*wanted: frozenset[str]) -> tuple[Callable[[Goods], bool], Callable[[Goods], Phrase]]:
    listed = frozenset().union(*wanted)

    def fires(goods: Goods) -> bool:
        return not listed.isdisjoint(goods.chapters)

    def evidence(goods: Goods) -> Phrase:
        return phrase("chapters", codes=tuple(sorted(listed & goods.chapters)))

    return fires, evidence


def _headings(listed: frozenset[str]) -> tuple[Callable[[Goods], bool], Callable[[Goods], Phrase]]:
    def fires(goods: Goods) -> bool:
        return not listed.isdisjoint(goods.headings)

    def evidence(goods: Goods) -> Phrase:
        return phrase("headings", codes=tuple(sorted(listed & goods.headings)))

    return fires, evidence


def _is_live(goods: Goods) -> bool:
    return not (LIVE_CHAPTERS.isdisjoint(goods.chapters) and LIVE_HEADINGS.isdisjoint(goods.headings))


def _live_seen(goods: Goods) -> Phrase:
    live = {heading for heading in goods.headings if heading[:2] in LIVE_CHAPTERS or heading in LIVE_HEADINGS}
    return phrase("headings", codes=tuple(sorted(live)))


_MAY_HAVE_WOOD_PEST = WOOD_PEST_COUNTRIES | NOWHERE
"""The countries from which wood must be inspected. A code that leaves the country open counts as one of them, because
goods must not pass for lack of knowledge."""


def _origins_with_wood_pest(goods: Goods) -> list[str]:
    """Returns the origins of the goods from which wood must be inspected."""
    origins = {alpha2(item.origin_country) for item in goods.declaration.items}
    return sorted(origins & _MAY_HAVE_WOOD_PEST)


def _wood_from_pest_country(goods: Goods) -> bool:
    """Returns whether imports come with wood from a country with the pest. The country of departure and the origins both count,
    because goods are packed where they are made, and bring wood of their origin even if they depart from elsewhere."""
    declaration = goods.declaration
    wood = declaration.wood_packaging or declaration.package_kind in SOLID_WOOD_KINDS
    here = alpha2(declaration.departure_country) in _MAY_HAVE_WOOD_PEST or bool(_origins_with_wood_pest(goods))
    return wood and declaration.direction is Direction.IMPORT and here


def _wood_seen(goods: Goods) -> Phrase:
    declaration, origins = goods.declaration, tuple(_origins_with_wood_pest(goods))
    values: Values = {
        "kind": declaration.package_kind,
        "departure": shown(declaration.departure_country, 20),
        "origins": origins,
    }
    if declaration.wood_packaging:
        return phrase("wood_origin" if origins else "wood", **values)
    return phrase("wood_kind_origin" if origins else "wood_kind", **values)


def _contradictions(goods: Goods) -> list[Finding]:
    return [warning for warning in goods.warnings if warning.code in CONTRADICTIONS]


def _contradictions_seen(goods: Goods) -> Phrase:
    found = [f"{warning.code} at {warning.pointer}" for warning in _contradictions(goods)]
    return phrase("contradictions", findings=tuple(found))


def _is_imported_waste(goods: Goods) -> bool:
    return goods.declaration.direction is Direction.IMPORT and not WASTE_HEADINGS.isdisjoint(goods.headings)


def _odd_price(goods: Goods) -> tuple[int, Decimal] | None:
    """Returns the number of the first line (from 1) with an unusual price per net kilogram, and that price in USD; None
    if there is none.

    If a line of goods other than electricity has no mass of its own, the price of all lines together is tested first.
    If that price is unusual, the returned number is 0. Another rule checks for a price of zero.
    """
    declaration = goods.declaration
    worth = USD_PER_UNIT.get(declaration.currency)
    bare = any(item.net_mass_kg == 0 and not item.hs_code.startswith(ELECTRICITY) for item in declaration.items)
    if bare and worth is not None and declaration.net_mass_kg > 0 and declaration.invoice_total > 0:
        per_kg = declaration.invoice_total * worth / declaration.net_mass_kg
        if _is_odd(per_kg, goods.chapters):
            return 0, per_kg
    for number, item in enumerate(declaration.items, start=1):
        worth = USD_PER_UNIT.get(item.currency)
        if worth is None or item.net_mass_kg <= 0 or item.total_price <= 0:
            continue
        per_kg = item.total_price * worth / item.net_mass_kg
        if _is_odd(per_kg, {item.hs_code[:2]}):
            return number, per_kg
    return None


def _is_odd(per_kg: Decimal, chapters: AbstractSet[str]) -> bool:
    """Returns whether a price in USD per kilogram is too high, or too low for goods of these chapters."""
    return per_kg > DEAR_USD_PER_KG or (per_kg < CHEAP_USD_PER_KG and BULK_CHAPTERS.isdisjoint(chapters))


def _odd_price_seen(goods: Goods) -> Phrase:
    odd = _odd_price(goods)
    assert odd is not None, "the rule fired"
    line, price = odd[0], f"{odd[1]:.3f}"
    return phrase("price_per_kg", line=line, price=price) if line else phrase("price_per_kg_of_all", price=price)


def _unmeasured(goods: Goods) -> list[str]:
    """Returns the currencies of the lines for which the table has no rate to USD, so that prices cannot be tested."""
    return sorted({item.currency for item in goods.declaration.items} - USD_PER_UNIT.keys())


def _is_free_of_charge(goods: Goods) -> bool:
    return goods.declaration.invoice_total == 0 or any(item.total_price == 0 for item in goods.declaration.items)


def _free_seen(goods: Goods) -> Phrase:
    lines = [str(number) for number, item in enumerate(goods.declaration.items, start=1) if item.total_price == 0]
    return phrase("lines_at_zero", lines=tuple(lines[:20])) if lines else phrase("invoice_zero")


def _detoured_clothing(goods: Goods) -> frozenset[str]:
    declaration = goods.declaration
    if declaration.direction is not Direction.IMPORT or CLOTHING_CHAPTERS.isdisjoint(goods.chapters):
        return frozenset()
    origins = {alpha2(item.origin_country) for item in declaration.items if item.hs_code[:2] in CLOTHING_CHAPTERS}
    return frozenset(origins - {alpha2(declaration.departure_country)})


def _detour_seen(goods: Goods) -> Phrase:
    origins = tuple(sorted(_detoured_clothing(goods)))
    return phrase("detour", origins=origins, departure=goods.declaration.departure_country)


def _grade_seen(goods: Goods) -> Phrase:
    party = graded_party(goods.declaration)
    code = "graded" if party == goods.declaration.consignee else "graded_declarant"
    return phrase(code, who=party, grade=goods.grade)


_DOCUMENTS = (ControlKind.DOCUMENTS,)
_INSPECTION = (ControlKind.INSPECTION,)
_SAMPLING = (ControlKind.SAMPLING,)

RULES: tuple[Rule, ...] = (
    Rule(
        "live_goods",
        date(2018, 8, 1),
        "活动物、活植物须查验并实施检疫处理",
        "live animals and live plants are inspected and treated",
        (ControlKind.INSPECTION, ControlKind.QUARANTINE),
        _is_live,
        _live_seen,
    ),
    Rule(
        "plants_and_wood",
        date(2018, 8, 1),
        "植物产品、木材须查验有害生物",
        "plants, grain, seed and wood are looked at for pests",
        _INSPECTION,
        *_chapters(PLANT_CHAPTERS),
    ),
    Rule(
        "wood_packaging",
        date(2026, 11, 30),
        "疫区实木包装须查验标识和活虫",
        "solid wood packaging from pine nematode countries is looked at for its mark and for pests",
        _INSPECTION,
        _wood_from_pest_country,
        _wood_seen,
    ),
    Rule(
        "meat_and_dairy",
        date(2018, 8, 1),
        "肉类、乳品须抽样送检",
        "meat and dairy goods are sampled",
        _SAMPLING,
        *_chapters(FOOD_CHAPTERS),
    ),
    Rule(
        "fish",
        date(2020, 6, 1),
        "水产品须抽样送检",
        "fish and seafood are sampled",
        _SAMPLING,
        *_chapters(FISH_CHAPTERS),
    ),
    Rule(
        "dangerous_chemicals",
        date(2011, 12, 1),
        "危险化学品须查验包装和标签",
        "chemicals and explosives are inspected: package, label, state",
        _INSPECTION,
        *_chapters(CHEMICAL_CHAPTERS),
    ),
    Rule(
        "imported_waste",
        date(2021, 1, 1),
        "疑似进口固体废物须查验",
        "imports that may be solid waste are inspected",
        _INSPECTION,
        _is_imported_waste,
        _headings(WASTE_HEADINGS)[1],
    ),
    Rule(
        "dual_use_and_precision",
        date(2020, 12, 1),
        "两用物项和精密仪器须取样鉴定",
        "dual-use and precision goods are sampled for identification",
        _SAMPLING,
        *_headings(DUAL_USE_HEADINGS),
    ),
    Rule(
        "odd_price_per_kg",
        date(2018, 8, 1),
        "单位重量价格异常须审单",
        "a price per kilogram far from the ordinary: the papers are read",
        _DOCUMENTS,
        lambda goods: _odd_price(goods) is not None,
        _odd_price_seen,
    ),
    Rule(
        "no_yardstick",
        date(2026, 11, 29),
        "币制无价格参照须审单",
        "a currency in which no price can be judged: the papers are read",
        _DOCUMENTS,
        lambda goods: bool(_unmeasured(goods)),
        lambda goods: phrase("currencies", codes=tuple(_unmeasured(goods))),
    ),
    Rule(
        "unlisted_trade_mode",
        date(2026, 11, 29),
        "监管方式不在代码表中须审单",
        "a trade mode that is not in the code table: the papers are read",
        _DOCUMENTS,
        lambda goods: any(warning.code == CheckCode.TRADE_MODE_UNLISTED for warning in goods.warnings),
        lambda goods: phrase("trade_mode", mode=goods.declaration.trade_mode),
    ),
    Rule(
        "free_of_charge",
        date(2018, 8, 1),
        "申报价格为零须审单",
        "goods declared at price zero: the papers are read",
        _DOCUMENTS,
        _is_free_of_charge,
        _free_seen,
    ),
    Rule(
        "detoured_clothing",
        date(2018, 8, 1),
        "服装启运国与原产国不一致须审单",
        "clothing that did not depart from its origin: the papers are read",
        _DOCUMENTS,
        lambda goods: bool(_detoured_clothing(goods)),
        _detour_seen,
    ),
    Rule(
        "contradicting_fields",
        date(2026, 11, 28),
        "申报内容前后矛盾须审单",
        "fields of the declaration that contradict each other: the papers are read",
        _DOCUMENTS,
        lambda goods: bool(_contradictions(goods)),
        _contradictions_seen,
    ),
    Rule(
        "seriously_discredited",
        date(2026, 4, 1),
        "严重失信企业须审单并查验",
        "goods of a seriously discredited enterprise: papers and goods",
        (ControlKind.DOCUMENTS, ControlKind.INSPECTION),
        lambda goods: goods.grade is CreditGrade.SERIOUSLY_DISCREDITED,
        _grade_seen,
    ),
)
IN_FORCE: tuple[Rule, ...] = tuple(rule for rule in RULES if rule.effective_from <= date.fromisoformat(RULE_SET))


def credit_grade(uscc: str) -> CreditGrade:
    """Returns the made-up grade of a unified social credit code: 4 % are advanced certified, 8 % certified, 0.4 % discredited,
    0.1 % seriously discredited, all others regular.

    No desk keeps a register of enterprises yet, so the grade is computed from a hash of the code. It says nothing about
    a real firm.
    """
    bucket = int.from_bytes(sha256(f"credit-grade/{uscc}".encode()).digest()[:8]) % 1000
    if bucket < 40:
        return CreditGrade.ADVANCED_CERTIFIED
    if bucket < 120:
        return CreditGrade.CERTIFIED
    if bucket < 995:
        return CreditGrade.REGULAR
    if bucket < 999:
        return CreditGrade.DISCREDITED
    return CreditGrade.SERIOUSLY_DISCREDITED


def graded_party(declaration: Declaration) -> str:
    """Returns the party whose grade counts: the consignee. If the consignee is a foreign party, which has no grade, it is the
    declarant."""
    return declaration.declarant if is_name(declaration.consignee) else declaration.consignee


def fired(goods: Goods) -> tuple[FiredRule, ...]:
    """Returns the rules in force that fire, in the order of the table."""
    return tuple(
        [
            FiredRule(rule=r.name, controls=r.controls, seen=shown(sentence(evidence), 1000), phrase=evidence)
            for r in IN_FORCE
            if r.fires(goods)
            for evidence in (r.evidence(goods),)
        ]
    )


def required(rules: tuple[FiredRule, ...], drawn: Draw) -> tuple[ControlKind, ...]:
    """Returns the controls that must be answered, each once, in the order of `ControlKind`. Goods that were drawn get an
    inspection."""
    wanted = {control for rule in rules for control in rule.controls}
    if drawn.selected:
        wanted.add(ControlKind.INSPECTION)
    return tuple([control for control in ControlKind if control in wanted]) if wanted else ()


def lane(controls: tuple[ControlKind, ...]) -> Lane:
    """Returns green if there is no control, yellow if only the papers are checked, and red if the goods are inspected, sampled or
    treated."""
    if not controls:
        return Lane.GREEN
    return Lane.YELLOW if controls == _DOCUMENTS else Lane.RED
