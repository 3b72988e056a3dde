"""Does `.env.example` name every variable that is read, and nothing else?"""

import ast
import re
from pathlib import Path

from services.shell.env_example import FILE, SETTINGS, settings_class, text
from tests.sources import tree_of

ROOT = Path(__file__).parents[2]


def classes_in(source: str) -> set[str]:
    """Names of the settings classes that this source text defines."""
    return {
        node.name
        for node in ast.walk(tree_of(source))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Settings") for base in node.bases)
    }


def test_the_file_is_what_the_classes_say() -> None:
    assert FILE.read_text() == text(), "the settings changed: make env"


def test_every_variable_stands_once() -> None:
    names = re.findall(r"^#([A-Z_]+)=", FILE.read_text(), re.MULTILINE)
    assert sorted(names) == sorted(set(names))


def test_what_another_program_makes_of_a_variable_stands_with_it() -> None:
    above = FILE.read_text().partition("#DTG_KAFKA=")[0].splitlines()[-2:]
    assert above[1] == (
        "# in services.cli.settings (default: none): bootstrap servers of an existing cluster; unset: the embedded broker"
    )


def test_every_settings_class_is_listed() -> None:
    found = {
        ".".join((*path.relative_to(ROOT).with_suffix("").parts, name))
        for folder in ("services", "deploy")
        for path in ROOT.joinpath(folder).rglob("*.py")
        for name in classes_in(path.read_text())
    }
    assert found == set(SETTINGS)
    assert classes_in("class New(BaseSettings):\n    pass") == {"New"}


def test_every_variable_is_explained_and_none_holds_a_secret() -> None:
    for name in SETTINGS:
        for title, field in settings_class(name).model_fields.items():
            assert field.description, f"{name}.{title}"
    assert not re.search(r"(?i)(password|secret|token)=.+", FILE.read_text())
