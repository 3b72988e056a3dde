"""What is the id of each hold, and what does it say? Ids are made and recognised here and nowhere else.

They are stored in records, in rows of the read model and at ports, so none of them may ever change.
"""

from typing import Final

ASSESSMENT: Final = "assessment"
"""The hold until the risk desk has assessed the goods."""
ARRIVAL: Final = "arrival"
"""The hold until all of the goods have arrived."""
_CONTROL, _TREATMENT, _DEPARTURE, _OFFICER = "inspection/", "quarantine/", "gate/", "officer/"
_WATCH, _LAPSE = f"{_OFFICER}watch/", f"{_OFFICER}lapse/"


def of_control(control: str) -> str:
    """The hold until this control (`ControlKind`) has an answer that lets the goods go."""
    return f"{_CONTROL}{control}"


def of_treatment(origin: str) -> str:
    """The hold until the goods are treated; `origin`: `risk`, or the control that found a living pest."""
    return f"{_TREATMENT}{origin}"


def of_departure(container_no: str) -> str:
    """The hold on goods that left without release in this container, until the departure turns out to be
    wrong."""
    return f"{_DEPARTURE}{container_no}"


def of_officer(request_id: str) -> str:
    """The hold that an officer placed by this request."""
    return f"{_OFFICER}{request_id}"


def of_watch(watch_id: str) -> str:
    """The hold that this watch places on goods that it matches; an officer lifts it."""
    return f"{_WATCH}{watch_id}"


def of_lapse(version: int) -> str:
    """The hold after the release of this version, which nobody used in time; an officer lifts it."""
    return f"{_LAPSE}{version}"


def is_for_an_officer(hold_id: str) -> bool:
    """Whether an officer lifts the hold. This is so if an officer or a watch placed it, or if it follows a
    release that nobody used."""
    return hold_id.startswith(_OFFICER)


def is_of_watch(hold_id: str) -> bool:
    """Whether a watch placed the hold."""
    return hold_id.startswith(_WATCH)


def is_of_lapse(hold_id: str) -> bool:
    """Whether the hold follows a release that nobody used in time."""
    return hold_id.startswith(_LAPSE)


def is_of_departure(hold_id: str) -> bool:
    """Whether the hold was placed because goods left without release."""
    return hold_id.startswith(_DEPARTURE)


def control_of(hold_id: str) -> str:
    """The control for whose answer the hold waits; empty if there is none."""
    return hold_id.removeprefix(_CONTROL) if hold_id.startswith(_CONTROL) else ""


def origin_of(hold_id: str) -> str:
    """The origin of the treatment for which the hold waits; empty if there is none."""
    return hold_id.removeprefix(_TREATMENT) if hold_id.startswith(_TREATMENT) else ""
