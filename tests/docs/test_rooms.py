"""Does docs/console.md list exactly the files of the console, each in its folder?"""

import re

from tests.docs.lines import ROOT

CONSOLE = ROOT / "services" / "console"
SECTION = re.compile(r"^## (.+)\n((?:(?!## ).*\n)*)", re.MULTILINE)
ROW = re.compile(r"^\| `([\w.]+)` \| .+ \|$", re.MULTILINE)


def listed(page: str) -> dict[str, list[str]]:
    """Folder (empty: the top folder of the console) → the files that the page lists, sorted."""
    found: dict[str, list[str]] = {}
    for section in SECTION.finditer(page):
        room = re.match(r"`(\w+)/`", section[1])
        found[room[1] if room else ""] = sorted(ROW.findall(section[2]))
    return found


def there() -> dict[str, list[str]]:
    """Folder → the Python files and packages that it contains, sorted. The packages in the top folder are left out."""
    rooms = {"": CONSOLE} | {each.parent.name: each.parent for each in CONSOLE.glob("*/__init__.py")}
    return {
        name: sorted(
            [each.name for each in room.glob("*.py") if each.name != "__init__.py"]
            + ([each.parent.name for each in room.glob("*/__init__.py")] if name else [])
        )
        for name, room in rooms.items()
    }


def test_each_file_of_the_console_is_listed_in_its_room() -> None:
    page = (ROOT / "docs" / "console.md").read_text(encoding="utf-8")
    assert listed(page) == there()
    assert listed(page.replace("| `tones.py` |", "| `tune.py` |")) != there()
