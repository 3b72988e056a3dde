"""Are the states of all desks frozen, and do they accept no attribute that is not declared?"""

import dataclasses
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel, ConfigDict

from schemas.topics import SERVICES
from tests.architecture.test_flow import decider_of


def kept(hint: Any) -> Iterator[type]:
    """The classes of `services` (and of this file) to which a value of this type, or a value inside it, may belong."""
    for each in get_args(hint):
        yield from kept(each)
    if isinstance(hint, type) and hint.__module__.startswith(("services.", __name__)):
        yield hint
        for name, field in get_type_hints(hint, include_extras=True).items():
            if name in getattr(hint, "__dataclass_fields__", getattr(hint, "_fields", ())):
                yield from kept(field)


def is_of_the_kind(state: type) -> bool:
    """Whether the class is a frozen dataclass with slots, or a named tuple, which a record stores without the names of
    its fields."""
    if issubclass(state, tuple):
        return hasattr(state, "_fields")
    made = getattr(state, "__dataclass_params__", None)
    return made is not None and made.frozen and "__slots__" in vars(state)


@pytest.mark.parametrize("service", SERVICES)
def test_every_state_and_what_it_holds_is_of_one_kind(service: str) -> None:
    states = set(kept(decider_of(service).State))
    assert states
    assert {state.__name__ for state in states if not is_of_the_kind(state)} == set()


class AsModel(BaseModel):
    """A frozen pydantic model. No state may be one, because pydantic would validate again what a decider has made."""

    model_config = ConfigDict(frozen=True)


@dataclasses.dataclass(slots=True)
class Changeable:
    """A class whose objects could be changed in place."""


@dataclasses.dataclass(frozen=True)
class Open:
    """A class whose objects have a `__dict__` and so accept any attribute."""


@pytest.mark.parametrize("held", [tuple[AsModel, ...], dict[str, Changeable], Open | None])
def test_a_class_of_another_kind_is_found(held: Any) -> None:
    [state] = kept(held)
    assert not is_of_the_kind(state)
