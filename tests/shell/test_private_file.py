"""Is a file with a secret always complete and readable only by its owner, and is it never
overwritten by a second process?"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.shell.private_file import NotPrivate, read_private, write_private


def test_what_is_written_is_read_and_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    file, before = tmp_path / "secret", os.umask(0)
    try:
        write_private(file, "one 秘\n", fresh=True)
        assert file.stat().st_mode & 0o777 == 0o600
        write_private(file, "two")
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_private(file) == "two" and list(tmp_path.iterdir()) == [file]


def test_a_second_first_start_writes_nothing_over(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    write_private(file, "first", fresh=True)
    with pytest.raises(FileExistsError):
        write_private(file, "second", fresh=True)
    assert read_private(file) == "first" and list(tmp_path.iterdir()) == [file]


def test_a_link_to_somewhere_is_not_followed_by_what_is_written(tmp_path: Path) -> None:
    elsewhere, file = tmp_path / "elsewhere", tmp_path / "secret"
    elsewhere.write_text("of somebody")
    file.symlink_to(elsewhere)
    write_private(file, "secret")
    assert elsewhere.read_text() == "of somebody" and not file.is_symlink()


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o610, 0o666])
def test_a_file_that_others_may_read_or_change_is_refused_without_its_text(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_text("hidden words")
    file.chmod(mode)
    with pytest.raises(NotPrivate, match=f"mode {mode:03o}") as raised:
        read_private(file)
    assert "hidden" not in str(raised.value)


def test_what_is_missing_or_no_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotPrivate, match="is missing"):
        read_private(tmp_path / "none")
    with pytest.raises(NotPrivate, match="cannot be read"):
        read_private(tmp_path)


def test_threads_that_write_one_file_at_the_same_time_each_write_it_whole(tmp_path: Path) -> None:
    """The console's threads write the count of changes of rights, each after its own change."""
    file = tmp_path / "secret"

    def write(number: int) -> str:
        text = str(number) * 50_000
        write_private(file, text)
        return text

    with ThreadPoolExecutor(4) as threads:
        texts = set(threads.map(write, range(200)))
    assert read_private(file) in texts and list(tmp_path.iterdir()) == [file]
