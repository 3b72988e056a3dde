"""Which environment variables does Datongguan read? `make env` runs this module, which writes `.env.example` from the
settings classes.

The classes are given by name, because the shell imports no service.
"""

import importlib
import shlex
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

SETTINGS = (
    "services.shell.settings.WorkerSettings",
    "services.shell.settings.AccessSettings",
    "services.shell.settings.ClockSettings",
    "services.console.settings.ConsoleSettings",
    "services.cli.settings.UpSettings",
    "services.simulator.settings.SimulatorSettings",
)
"""The settings classes of the project. A test fails if one is missing here."""

FILE = Path(__file__).parents[2] / ".env.example"
HEAD = """\
# Every environment variable of Datongguan, with its default. Made by `make env` from the settings classes; do not edit.
# Copy to .env, uncomment what you change, and load it:  set -a; . ./.env; set +a
"""


def settings_class(name: str) -> type[BaseSettings]:
    """Returns the class with this dotted name."""
    module, _, title = name.rpartition(".")
    found: type[BaseSettings] = getattr(importlib.import_module(module), title)
    return found


def text() -> str:
    """Returns the text of the whole file. If several classes read a variable, it is listed once, with the first of
    these classes. If another class has another default for it, a comment says so."""
    defaults: dict[str, str] = {}
    comments: dict[str, list[str]] = {}
    sections: list[tuple[str, list[str]]] = []
    for name in SETTINGS:
        kind, module = settings_class(name), name.rpartition(".")[0]
        named: list[str] = []
        for title, field in kind.model_fields.items():
            variable, default = f"{kind.model_config.get('env_prefix', '')}{title}".upper(), _default(field)
            if variable not in defaults:
                defaults[variable], comments[variable] = default, [f"# {field.description}"]
                named.append(variable)
            elif defaults[variable] != default:
                comments[variable].append(f"# in {module} (default: {default or 'none'}): {field.description}")
        sections.append((f"# --- {module}: {(kind.__doc__ or '').strip().splitlines()[0]}", named))
    bodies = [
        "\n".join([title, *[line for each in named for line in (*comments[each], f"#{each}={defaults[each]}")]]) + "\n"
        for title, named in sections
        if named
    ]
    return "\n".join([HEAD, *bodies])


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    return "" if default is None else shlex.quote(str(default))


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
