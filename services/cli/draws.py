"""How does an auditor repeat the inspection draws, and how does an operator change their key? The commands are `dtg
draws repeat`, `dtg draws keys` and `dtg draws add-key`."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from schemas.vocabulary import day_in_china
from services.cli.home import of_command
from services.cli.screen import AsJson, Table, errors, screen, styled, text
from services.cli.settings import UpSettings
from services.risk.keys import SECRET_BYTES, DrawKeys, NotDrawKeys, new_key, read, written
from services.shell.private_file import NotPrivate, read_private, write_private

draws_app = typer.Typer(no_args_is_help=True, help="The inspection draw: repeat it, see and add keys. 抽查")
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        help="key file; default: DTG_DRAW_KEYS, or draw-keys.json in DTG_HOME 密钥文件；默认为 DTG_DRAW_KEYS，或 DTG_HOME 中的 draw-keys.json",
    ),
]
SHOWN = 20
"""How many draws with a different result are listed at most."""


@draws_app.command()
def repeat(
    consignment: Annotated[
        str, typer.Argument(parser=text, help="consignment id; default: all 货物编号；默认为全部")
    ] = "",
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Repeat every inspection draw on the topics, and list each whose result is different; exit code 1 if there is one.
    复核抽查"""
    from services.cli import log
    from services.cli.redraw import TOPICS, keys_in, redraw

    settings = of_command(UpSettings())
    file = key_file or settings.draw_key_file()
    # Without `--keys`, the file may be missing: draws of older software versions and of a demo need no key from a file.
    known = keys_in(_text_of(file)) if key_file or file.exists() else {}
    done = redraw(log.read(settings.access("auditor"), TOPICS), known, consignment)
    shown = Table("key 密钥", "came out again 复核一致", "selected 抽中")
    for key_id, count in sorted(done.repeated.items()):
        shown.add_row(key_id or "(older, without a key 旧规则)", count, done.selected[key_id])
    wrong = [styled(line, "red") for line in done.wrong[:SHOWN]]
    more = f"… {len(done.wrong) - SHOWN:,} more 另有" if len(done.wrong) > SHOWN else None
    in_short = f"{len(done.wrong):,} draws do not come out. 不一致" if done.wrong else None
    if consignment and not done.repeated and not done.wrong:
        in_short = f"No draw of {consignment}. 查无此票"
    screen.tell(as_json, draws=shown, wrong=wrong, more=more, in_short=in_short)
    if in_short:
        raise typer.Exit(1)


@draws_app.command()
def keys(key_file: KeyFile = None, as_json: AsJson = False) -> None:
    """List the ids of the keys and the days from which they are in force, never a secret. 密钥清单"""
    shown = Table("key 密钥", "in force from 生效日")
    for key in _read(key_file or of_command(UpSettings()).draw_key_file()).keys:
        shown.add_row(key.key_id, str(key.effective_from))
    screen.tell(as_json, keys=shown)


@draws_app.command("add-key")
def add_key(
    day: Annotated[
        datetime,
        typer.Option(
            "--from", formats=["%Y-%m-%d"], help="day in China from which on it is in force 生效日（中国日期）"
        ),
    ],
    key_file: KeyFile = None,
) -> None:
    """Add a key that is in force from a future day on. The former keys stay, so that their draws can be repeated. 新增密钥

    If there is no key file yet, the first key may be in force from any day. This is for a cluster that `dtg up` does not
    start.
    """
    file = key_file or of_command(UpSettings()).draw_key_file()
    known, first = _read(file).keys if file.exists() else (), day.date()
    last = max([key.effective_from for key in known] + [day_in_china(datetime.now(UTC))])
    if known and first <= last:
        _refuse(
            f"A new key is in force from a day after {last} on: draws that were made stay as they are. 生效日须晚于该日。"
        )
    key = new_key(os.urandom(SECRET_BYTES), first)
    try:
        write_private(file, written(DrawKeys((*known, key))), fresh=not known)
    except OSError as error:
        _refuse(f"{file} cannot be written: {error.strerror}. 无法写入密钥文件。")
    screen.line(
        f"{key.key_id} added to {file}. 已新增。 Before {first}: put the file on every machine that hosts the risk desk, "
        "start its workers again, and keep a copy."
    )


def _read(file: Path) -> DrawKeys:
    return read(_text_of(file))


def _text_of(file: Path) -> str:
    try:
        held = read_private(file)
        read(held)
    except NotPrivate as error:
        _refuse(str(error))
    except NotDrawKeys as error:
        _refuse(f"{file} {error}")
    return held


def _refuse(sentence: str) -> NoReturn:
    errors.line(styled(sentence, "red"))
    raise typer.Exit(1)
