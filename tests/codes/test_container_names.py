"""In which form are container numbers compared?"""

import pytest

from schemas.codes.iso6346 import plain


@pytest.mark.parametrize("written", ["csqu 305438-3", "CSQU3054383", "CSQU/305438.3"])
def test_one_number_has_one_form_however_it_is_written(written: str) -> None:
    assert plain(written) == "CSQU3054383"


def test_malformed_numbers_that_differ_in_letters_of_another_script_stay_two_containers() -> None:
    assert plain("箱 1") == "箱1" != plain("柜 1")
    assert plain("箱") == "箱"
