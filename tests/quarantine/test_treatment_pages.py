"""Does the page for treatment units agree with the schedules?"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from schemas.codes.refusals import RefusalCode
from schemas.codes.schedules import ROWS, Exposure, HeldTemperature, Row, Step
from schemas.quarantine import MOST_READINGS
from services.quarantine import decider, proof

PAGE = Path(__file__).parents[2] / "docs" / "treatments.md"


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def temperature(step: Step) -> str:
    if isinstance(step, Exposure):
        return f"≥ {plain(step.lowest_c)}"
    sign = "≤" if step.below else ">" if step.above else "≥"
    return f"{sign} {plain(step.limit_c)}"


def gas(step: Step) -> str:
    desk = [f"{plain(least)} at {plain(hour)} h" for hour, least in step.minima] if isinstance(step, Exposure) else []
    return ", ".join([f"≥ {plain(step.floor_g_m3)}"] * bool(step.floor_g_m3) + desk)


def line(row: Row, step: Step) -> str:
    cells = (
        row.goods.value,
        row.method.value,
        ", ".join(sorted(row.pests)),
        f"{temperature(step)} ({row.measured})",
        plain(step.hours) + (" held" if isinstance(step, HeldTemperature) else ""),
        plain(step.dose_g_m3) if step.dose_g_m3 else "",
        gas(step),
        plain(step.ct) if isinstance(step, Exposure) and step.ct else "",
        plain(row.apart_hours),
        "" if row.residue_ppm is None else plain(row.residue_ppm),
        row.schedule,
        row.source,
        row.effective_from.isoformat(),
    )
    return "| " + " | ".join(cells) + " |"


def table() -> Iterator[str]:
    for row in ROWS:
        for step in row.steps:
            yield line(row, step)


def test_the_page_has_every_row_of_the_schedules_and_no_other() -> None:
    desk = [each for each in PAGE.read_text(encoding="utf-8").splitlines() if each.count("|") == 14][2:]
    assert desk == list(table())


def test_the_page_names_every_reason_for_which_a_record_is_refused() -> None:
    page = PAGE.read_text(encoding="utf-8")
    source = "".join([Path(file).read_text(encoding="utf-8") for file in (decider.__file__, proof.__file__)])
    others = {RefusalCode.CONSIGNMENT_CLOSED, RefusalCode.NOT_REFERRED, RefusalCode.NO_SCHEDULE}
    codes = {code for code in RefusalCode if f"RefusalCode.{code.name}" in source} - others
    assert {code for code in codes if f"`{code}`" not in page} == set()
    assert f"{MOST_READINGS:,}" in page
