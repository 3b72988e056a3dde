"""Must the texts of a declaration be printable, and do two spellings of one name count as the same name?"""

import re
import sys
from typing import Any
from unicodedata import category

import orjson
import pytest
from pydantic import ValidationError

from schemas.bounds import PRINTABLE, identifier, line_of_text
from schemas.declaration import Declaration, LodgeDeclaration
from schemas.papers.checks import findings
from schemas.vocabulary import consignment_id, plain_word
from services.console.readmodel.lists import named
from services.shell.codec import encode
from tests.declaration.good import DECLARANT, good_declaration, lodge
from tests.voice import NOON

PAPER = orjson.loads(encode(good_declaration()))
UNSEEN = [
    *("\x00", "\t", "\n", "\x1b", "\x7f", "\x85"),  # control characters
    *(
        "\u200b",
        "\u200c",
        "\u200d",
        "\u2060",
        "\ufeff",
        "\u00ad",
        "\u034f",
        "\u3164",
        "\uffa0",
        "\u115f",
        "\ufe0f",
    ),  # invisible characters
    *("\u180e", "\U000e0041", "\U000e0100"),
    # characters that change the direction of text
    *("\u200e", "\u200f", "\u061c", "\u202a", "\u202e", "\u2066", "\u2069"),
    *("\u2028", "\u2029"),  # separators of lines and paragraphs
    *("\ue000", "\uf8ff", "\U000f0000", "\U0010fffd"),  # characters for private use
    *("\ufdd0", "\uffff", "\U0001fffe"),  # noncharacters of Unicode
]
TEXTS = ("reference", "bill_no", "conveyance", "goods_place", "customs_office", "consignee", "declarant")


def read(**changes: Any) -> Declaration:
    return Declaration.model_validate_json(orjson.dumps({**PAPER, **changes}))


DEFAULT_IGNORABLE = (
    *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0),
    *(*range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)),
    *(*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)),
    *range(0xE0000, 0xE1000),
)
"""The characters with the property Default_Ignorable_Code_Point (Unicode 16.0, DerivedCoreProperties.txt)."""
SEEN_FORMATS = {0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD, *range(0x0600, 0x0606)}
"""The characters of the category Cf (format) that can be seen: signs before a number."""


def test_every_character_that_shows_as_nothing_is_one_of_them() -> None:
    """An older version accepted the control characters of music and of shorthand, and the blank of Braille."""
    formats = {code for code in range(sys.maxunicode + 1) if category(chr(code)) == "Cf"}
    unseen = {*DEFAULT_IGNORABLE, *formats - SEEN_FORMATS, 0x2800, 0xFFFC}
    assert [hex(code) for code in sorted(unseen) if re.match(PRINTABLE, chr(code))] == []
    assert all(re.match(PRINTABLE, chr(code)) for code in SEEN_FORMATS)


@pytest.mark.parametrize("sign", [*UNSEEN, "\u2800", "\ufffc", "\U0001bca0", "\U0001d173", "\U00013430"], ids=ascii)
def test_what_nobody_sees_is_refused_wherever_it_stands(sign: str) -> None:
    for name in TEXTS:
        for text in (f"{PAPER[name]}{sign}", f"{sign}{PAPER[name]}", f"{PAPER[name][:2]}{sign}{PAPER[name][2:]}"):
            with pytest.raises(ValidationError) as refused:
                read(**{name: text})
            assert [fault["loc"] for fault in refused.value.errors()] == [(name,)]
    for box in ({"container_no": f"CSQU{sign}3054383"}, {"container_no": "CSQU3054383", "seal_no": f"CN{sign}"}):
        with pytest.raises(ValidationError):
            read(containers=[box])
    for name in ("description", "hs_code", "unit"):
        with pytest.raises(ValidationError):
            read(items=[{**PAPER["items"][0], name: f"1{sign}2"}])


@pytest.mark.parametrize("sign", [*UNSEEN, "\u2800", "\ufffc", "\U0001bca0", "\U0001d173", "\U00013430"], ids=ascii)
def test_a_stored_paper_with_such_a_text_is_read_as_it_is(sign: str) -> None:
    body = orjson.loads(encode(lodge()))
    body["declaration"]["reference"] = f" R{sign}1 "
    assert LodgeDeclaration.read_stored(orjson.dumps(body)).declaration.reference == f" R{sign}1 "


ALIKE = [
    *(" R-1", "R-1 ", "\u00a0R-1", "R-1\u3000", "  R-1  "),  # spaces around the reference
    *("Ｒ-1", "R－1", "R-１", "R-①", "ℝ-1"),  # compatibility forms of characters (Unicode NFKC)
]


@pytest.mark.parametrize("alike", ALIKE, ids=ascii)
def test_a_name_that_differs_only_in_how_it_is_written_is_the_same_name(alike: str) -> None:
    for name in ("reference", "bill_no"):
        assert getattr(read(**{name: alike}), name) == "R-1"
    declared = read(reference=alike)
    assert consignment_id(DECLARANT, declared.reference) == consignment_id(DECLARANT, "R-1")
    assert plain_word(alike) == "R1"


def test_composed_and_decomposed_letters_are_one_text() -> None:
    for composed, apart in (("é", "e\u0301"), ("Å", "\u212b"), ("각", "\u1100\u1161\u11a8")):
        for name in ("reference", "bill_no", "conveyance", "goods_place"):
            assert read(**{name: f"x{apart}"}) == read(**{name: f"x{composed}"})
        assert line_of_text(apart) == composed == identifier(apart)


def test_a_name_of_blanks_is_none() -> None:
    for blank in ("", " ", "\u3000", "\u00a0 "):
        with pytest.raises(ValidationError) as refused:
            read(reference=blank)
        assert [fault["loc"] for fault in refused.value.errors()] == [("reference",)]
        assert read(bill_no=blank).bill_no == "" == read(conveyance=blank).conveyance


def test_blanks_within_a_name_count_once_and_words_keep_their_form() -> None:
    assert read(reference="R  1").reference == "R 1" == read(reference="R\u00a0\u30001").reference
    assert read(goods_place="前湾　３号").goods_place == "前湾　３号", "full-width signs in words stay"


def test_a_search_finds_a_name_however_it_is_typed() -> None:
    for alike in ALIKE:
        [lodged, *_] = named(alike)
        assert "'R-1'" in " ".join(str(each.compile(compile_kwargs={"literal_binds": True})) for each in lodged.wanted)


def test_a_bill_without_a_letter_or_digit_is_none() -> None:
    assert [finding.code for finding in findings(read(bill_no="- -"), NOON.date())] == ["bill_missing"]


def test_a_paper_of_before_that_waited_is_judged_with_what_can_be_shown_of_it() -> None:
    body = orjson.loads(encode(lodge()))
    body["declaration"]["customs_office"] = "42\x0001"
    stored = LodgeDeclaration.read_stored(orjson.dumps(body)).declaration
    assert [(found.code, found.seen) for found in findings(stored, NOON.date())] == [("office_unknown", "42 01")]
