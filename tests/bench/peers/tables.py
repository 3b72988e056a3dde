"""What must a program in another language know to decide in the same way as the desks? It needs the
code tables and the rule table, as JSON."""

from typing import Any

from schemas.codes import hs
from schemas.codes.checks import CONTRADICTIONS
from schemas.codes.countries import NAMES as COUNTRIES
from schemas.codes.currencies import CURRENCIES
from schemas.codes.offices import DISTRICTS, OFFICES, is_sandbox
from schemas.codes.trade import (
    MAYBE_WOOD_KINDS,
    PACKAGE_KINDS,
    SOLID_WOOD_KINDS,
    TRADE_MODES,
)
from schemas.codes.units import KILOGRAMS, UNITS
from schemas.papers.checks import PORTED
from schemas.papers.contradictions import UNBOXED
from schemas.vocabulary import TransportMode
from services.risk import rules
from services.risk.keys import PUBLISHED, PUBLISHED_ID


def tables() -> dict[str, Any]:
    """Returns the tables. Sets are sorted lists, and decimals are text."""
    return {
        "countries": sorted(COUNTRIES),
        "currencies": sorted(CURRENCIES),
        "offices": sorted(OFFICES),
        "districts": sorted(DISTRICTS),
        "sandbox_offices": sorted(filter(is_sandbox, OFFICES)),
        "chapters": sorted(hs.EDITIONS[-1].chapters),
        "hs_codes": sorted(hs.EDITIONS[-1].names),
        "package_kinds": sorted(PACKAGE_KINDS),
        "trade_modes": sorted(TRADE_MODES),
        "units": sorted(UNITS),
        "transport_modes": sorted(mode.value for mode in TransportMode),
        "ported": sorted(PORTED),
        "live_headings": sorted(rules.LIVE_HEADINGS),
        "live_chapters": sorted(rules.LIVE_CHAPTERS),
        "plant_chapters": sorted(rules.PLANT_CHAPTERS),
        "food_chapters": sorted(rules.FOOD_CHAPTERS),
        "fish_chapters": sorted(rules.FISH_CHAPTERS),
        "chemical_chapters": sorted(rules.CHEMICAL_CHAPTERS),
        "clothing_chapters": sorted(rules.CLOTHING_CHAPTERS),
        "bulk_chapters": sorted(rules.BULK_CHAPTERS),
        "waste_headings": sorted(rules.WASTE_HEADINGS),
        "dual_use_headings": sorted(rules.DUAL_USE_HEADINGS),
        "wood_pest_countries": sorted(rules.WOOD_PEST_COUNTRIES),
        "usd_per_unit": {name: str(worth) for name, worth in rules.USD_PER_UNIT.items()},
        "dear_usd_per_kg": str(rules.DEAR_USD_PER_KG),
        "cheap_usd_per_kg": str(rules.CHEAP_USD_PER_KG),
        "rates": {grade.value: str(rate) for grade, rate in rules.RATES.items()},
        "rule_set": rules.RULE_SET,
        "solid_wood_kinds": sorted(SOLID_WOOD_KINDS),
        "maybe_wood_kinds": sorted(MAYBE_WOOD_KINDS),
        "kilograms": {unit: str(mass) for unit, mass in KILOGRAMS.items()},
        "unboxed": sorted(UNBOXED),
        "contradictions": sorted(CONTRADICTIONS),
        "draw_key": PUBLISHED.keys[0].secret.hex(),
        "draw_key_id": PUBLISHED_ID,
    }
