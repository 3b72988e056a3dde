"""Which codes may a declaration name, and is a given code one of them? The commands are `dtg codes`, `dtg codes units` and
`dtg codes units 035 KGS`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from schemas.codes import hs
from schemas.codes.bilingual import Bilingual
from schemas.codes.nearest import nearest
from schemas.codes.tables import CodeTable, tables
from schemas.vocabulary import day_in_china
from services.cli.screen import AsJson, Table, errors, screen, styled, text
from services.console.language.code_names import country, currency
from services.shell.clock import now


def codes(
    table: Annotated[
        str, typer.Argument(parser=text, help="name of a table; default: all tables 代码表名称；默认为全部")
    ] = "",
    code: Annotated[
        list[str] | None, typer.Argument(help="codes to look up; default: the whole table 要查询的代码；默认为整表")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the code tables with their sources, days and counts; or list one table; or check codes, with exit code 1 if one
    is unknown. 代码表"""
    known = tables(day_in_china(now()))
    if not table:
        _overview(known, as_json)
        return
    if table not in known:
        errors.block(f"There is no table {table}: {', '.join(known)}. 没有此代码表", "red")
        raise typer.Exit(1)
    one = known[table]
    given = [text(each) for each in code or ()]
    if given:
        _check(one, given, as_json)
        return
    named = {each: name.joined for each, name in names(one).items()}
    if as_json:
        screen.tell(True, table=one.name, **_about(one), names=named)
        return
    shown = Table("code 代码", "name 名称")
    for each, name in named.items():
        shown.add_row(each, name)
    screen.table(shown)
    screen.block("\n".join(_note(one)))


def names(table: CodeTable) -> dict[str, Bilingual]:
    """Returns the codes of a table with their names in both languages. The names of countries and currencies are those of
    CLDR."""
    of_cldr = {"countries": country, "currencies": currency}.get(table.name)
    return {code: of_cldr(code) for code in table.names} if of_cldr else dict(table.names)


def _overview(known: Mapping[str, CodeTable], as_json: bool) -> None:
    if as_json:
        screen.tell(True, tables={name: _about(each) for name, each in known.items()})
        return
    shown = Table("table 代码表", "name 名称", "codes 条数", "as of 日期")
    for name, each in known.items():
        shown.add_row(name, each.title.joined, f"{len(each.names):,}", str(each.as_of))
    screen.table(shown)
    for name, each in known.items():
        lacks = f" It lacks {each.lacks}. 不全" if each.lacks else ""
        screen.line(f"{name}: {each.source}; {each.licence}.{lacks}")


def _check(table: CodeTable, given: list[str], as_json: bool) -> None:
    named = names(table)
    answers = []
    for each in given:
        code = _looked_up(table, each)
        name = named[code].joined if code in named else None
        answers.append((each, name, () if name is not None else nearest(code, named)))
    if as_json:
        screen.tell(
            True,
            codes=[
                {"code": each, "known": name is not None, "name": name, "nearest": near} for each, name, near in answers
            ],
        )
    else:
        for each, name, near in answers:
            if name is not None:
                screen.line(f"{each} {name}")
                continue
            close = "; ".join(f"{code} {named[code].joined}".strip() for code in near)
            screen.line(styled(f"{each}: not in {table.name} 表中没有; nearest 相近: {close or '–'}", "red"))
        if table.lacks and any(name is None for _, name, _ in answers):
            screen.line(f"The table lacks {table.lacks}. 本表不全")
    raise typer.Exit(1 if any(name is None for _, name, _ in answers) else 0)


def _looked_up(table: CodeTable, code: str) -> str:
    """Returns the code to look up. Of a tariff code, only the first six digits are looked up, because the declaration
    desk also looks up only these."""
    return code[: hs.SIX] if table.name == "hs" and len(code) <= hs.NATIONAL_DIGITS else code


def _about(table: CodeTable) -> dict[str, Any]:
    return {
        "title": {"zh": table.title.zh, "en": table.title.en},
        "codes": len(table.names),
        "as_of": str(table.as_of),
        "source": table.source,
        "licence": table.licence,
        "lacks": table.lacks,
    }


def _note(table: CodeTable) -> list[str]:
    sentences = [f"{len(table.names):,} codes as of {table.as_of}. {len(table.names):,} 条，日期 {table.as_of}"]
    sentences.append(f"Source: {table.source}; {table.licence}. 来源")
    return [*sentences, f"It lacks {table.lacks}. 本表不全"] if table.lacks else sentences
