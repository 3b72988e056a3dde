"""Is a person's text quickly distinguished from a desk's sentence, whatever is repeated in the text? All other threads
wait meanwhile."""

from time import process_time

import pytest

from services.console.language import desk_sentences
from services.console.language.words import TEXTS

SECONDS = 0.3
"""Seconds of CPU time for ten texts. In an older version, which tried every way to split a text, the slowest ten texts
took eight seconds."""
SENTENCES = [texts.en for key, texts in sorted(TEXTS.items()) if key.startswith("written.")]
LONG = [text for text in SENTENCES if len(desk_sentences._between(text)) > 1]


@pytest.mark.parametrize("english", LONG)
def test_a_text_that_repeats_the_words_of_a_sentence_costs_little(english: str) -> None:
    pieces = desk_sentences._between(english)
    began = process_time()
    for number in range(10):
        share = desk_sentences.LONGEST // len(pieces)
        text = "".join([(f"{number}{each}" * share)[:share] for each in pieces])
        desk_sentences.in_words(f"{text[: desk_sentences.LONGEST - 1]}!")
    assert process_time() - began < SECONDS


def test_there_are_such_sentences() -> None:
    assert len(LONG) > 5
