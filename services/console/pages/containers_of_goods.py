"""What does the page of a consignment show about its containers? It shows only what concerns these goods, because a container may come back
with other goods, and several consignments may share it."""

from typing import NamedTuple

from schemas.codes.bilingual import Bilingual
from schemas.vocabulary import Stage
from services.console.api.views import ConsignmentView, GateView, Text
from services.console.language.words import both
from services.console.pages import tones
from services.console.pages.tones import Tone

NO_GOODS = frozenset({Stage.REJECTED, Stage.WITHDRAWN})
"""The stages at which the declaration is not in force, so that no goods of it are in the containers."""


class OwnBox(NamedTuple):
    """One container of a consignment. `state`: the gate's answer whether the container may leave, or None if that answer is not about these
    goods; `note`: the reason, as a sentence."""

    container_no: str
    tone: Tone
    state: Text | None
    note: Text


def own_box(goods: ConsignmentView, box: GateView) -> OwnBox:
    """Makes the line of one container. `box`: the gate's present answer about the container, which may be about other goods."""
    number = box.container_no
    if number in goods.unreleased_containers:
        return OwnBox(number, "bad", _text("container.gone"), _text("own_box.unreleased"))
    if number in goods.left_containers:
        return OwnBox(number, "plain", _text("container.gone"), _text("own_box.left"))
    if goods.stage in NO_GOODS or goods.consignment_id not in box.consignments:
        return OwnBox(number, "plain", None, _text("own_box.not_in_it"))
    if box.may_leave:
        return OwnBox(number, "good", _text("container.may_leave"), _text(f"gate.{box.reason}"))
    released = number in goods.released_containers and goods.consignment_id not in box.waiting_for
    of_others = released and box.reason in ("held", "not_released")
    note = _text("own_box.others") if of_others else _text(f"gate.{box.reason}")
    return OwnBox(number, tones.of_box(box.reason), _text("container.must_stay"), note)


def _text(key: str) -> Text:
    sentence: Bilingual = both(key)
    return Text(zh=sentence.zh, en=sentence.en)
