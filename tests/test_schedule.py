"""Do all files and folders exist that GROUPS names?"""

from pathlib import Path

from tests.schedule import GROUPS, group_of


def test_each_member_of_a_group_is_there() -> None:
    root = Path(__file__).parent.parent
    members = [member for group in GROUPS.values() for member in group]
    assert sorted(member for member in members if not (root / member).exists()) == []


def test_a_file_belongs_to_one_group_or_is_its_own() -> None:
    assert group_of("tests/console/test_api.py") == "a console"
    assert group_of("tests/chaos/test_kill.py") == "a border"
    assert group_of("tests/gate/test_visits.py") == "tests/gate/test_visits.py"
