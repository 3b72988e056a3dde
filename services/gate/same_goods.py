"""Does more than one declaration stand for the same goods in a container? A declaration is accepted without knowledge
of the others, because the record of its consignment contains only this declaration.

The record of a container contains every declaration that names the container. Declarations that stand for the same
goods are reported to officers. The report to officers does not change the gate's answer. While two declarations stand
for one bill in one visit, the answer is no in any case (`may_leave.answer`).
"""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.vocabulary import plain_word, same_word
from services.gate.box import Box, Part
from services.gate.truth import Truth

RULE_SET = "2026-11-29"
"""The version of the two rules below. It must be changed together with them."""
BY_BILL = "one_declaration_a_bill"
"""The rule that two declarations stand for the same goods if they have the same direction, bill and container. If
their conveyances differ, both must be awaited, or both must be in the same visit."""
BY_BOX = "one_declaration_a_box"
"""The rule that two declarations stand for the same goods if they have the same direction and container and no bill.
Each must say that no other goods are in the container, their conveyances must not differ, and both must be awaited
or in the same visit."""


class Again(NamedTuple):
    """A declaration that was not reported to officers yet, and the `others` that stand for the same goods."""

    part: Part
    rule: str
    others: tuple[str, ...]


def lodged_again(box: Box, truth: Truth) -> Iterator[Again]:
    """Yields the declarations that share their goods with others and were not reported to officers yet. Declarations
    that were withdrawn, that an officer struck off, or whose goods are `gone` do not count."""
    standing = [
        p
        for p in box.parts
        if p.standing != "withdrawn" and p.consignment_id not in box.struck and p.consignment_id not in box.gone
    ]
    if all(p.told_again for p in standing) or len(standing) < 2:
        return
    visits = {p.consignment_id: visit.id for visit in truth.visits for p in visit.parts}
    alike: dict[tuple[str, str], list[Part]] = {}
    for part in standing:
        # A declaration without a bill is compared only if it says that no other goods are in the container (`shared_by`
        # is 1).
        if (bill := plain_word(part.bill)) or part.shared_by == 1:
            alike.setdefault((part.direction, bill), []).append(part)
    for (_, bill), papers in alike.items():
        for part in papers:
            if part.told_again:
                continue
            same = _same_bill if bill else _same_box
            others = [p.consignment_id for p in papers if p is not part and same(part, p, visits)]
            if others:
                yield Again(part, BY_BILL if bill else BY_BOX, tuple(others))


def _same_bill(one: Part, other: Part, visits: dict[str, str]) -> bool:
    return same_word(one.conveyance, other.conveyance) is not False or _together(one, other, visits)


def _same_box(one: Part, other: Part, visits: dict[str, str]) -> bool:
    return same_word(one.conveyance, other.conveyance) is not False and _together(one, other, visits)


def _together(one: Part, other: Part, visits: dict[str, str]) -> bool:
    """Returns whether both are in one visit, or both are awaited."""
    return visits.get(one.consignment_id) == visits.get(other.consignment_id)
