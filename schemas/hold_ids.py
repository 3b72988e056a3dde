"""What is the id of each hold, and what does an id say about its hold? No other module makes ids or takes
them apart.

The ids are stored in records, in rows of the read model and at ports, so none of them may ever change.
"""

from typing import Final

ASSESSMENT: Final = "assessment"
"""The id of the hold that lasts until the risk desk has assessed the goods."""
ARRIVAL: Final = "arrival"
"""The id of the hold that lasts until all of the goods have arrived."""
_CONTROL, _TREATMENT, _DEPARTURE, _OFFICER = "inspection/", "quarantine/", "gate/", "officer/"
_WATCH, _LAPSE, _STRIPPING = f"{_OFFICER}watch/", f"{_OFFICER}lapse/", f"{_OFFICER}stripping/"


def of_control(control: str) -> str:
    """Returns the id of the hold for this control (`ControlKind`). The hold lasts until the control has an
    answer that lets the goods go."""
    return f"{_CONTROL}{control}"


def of_treatment(origin: str) -> str:
    """Returns the id of the hold that lasts until the goods are treated. `origin`: `risk`, or the control
    that found a living pest."""
    return f"{_TREATMENT}{origin}"


def of_departure(container_no: str) -> str:
    """Returns the id of the hold on goods that left without release in this container. The hold lasts until the
    report of the departure turns out to be wrong."""
    return f"{_DEPARTURE}{container_no}"


def of_officer(request_id: str) -> str:
    """Returns the id of the hold that an officer placed by this request."""
    return f"{_OFFICER}{request_id}"


def of_watch(watch_id: str) -> str:
    """Returns the id of the hold that this watch places on goods that it matches. An officer lifts it."""
    return f"{_WATCH}{watch_id}"


def of_lapse(version: int) -> str:
    """Returns the id of the hold on goods whose release of this version nobody used in time. An officer
    lifts it."""
    return f"{_LAPSE}{version}"


def of_stripping(report_id: str) -> str:
    """Returns the id of the hold on goods that were stripped from a container which itself had to stay. The hold lasts
    until an officer lifts it, or until the report of the stripping turns out to be wrong."""
    return f"{_STRIPPING}{report_id}"


def is_for_an_officer(hold_id: str) -> bool:
    """Returns whether an officer lifts the hold. This is so if an officer or a watch placed it, if nobody used the
    release of the goods in time, or if the goods were stripped from a container that had to stay."""
    return hold_id.startswith(_OFFICER)


def is_of_watch(hold_id: str) -> bool:
    """Returns whether a watch placed the hold."""
    return hold_id.startswith(_WATCH)


def is_of_lapse(hold_id: str) -> bool:
    """Returns whether the hold was placed because nobody used the release of the goods in time."""
    return hold_id.startswith(_LAPSE)


def is_of_stripping(hold_id: str) -> bool:
    """Returns whether the hold was placed because the goods were stripped from a container that had to
    stay."""
    return hold_id.startswith(_STRIPPING)


def is_of_departure(hold_id: str) -> bool:
    """Returns whether the hold was placed because goods left without release."""
    return hold_id.startswith(_DEPARTURE)


def control_of(hold_id: str) -> str:
    """Returns the control (`ControlKind`) whose answer ends the hold; an empty text if the hold is of
    another sort."""
    return hold_id.removeprefix(_CONTROL) if hold_id.startswith(_CONTROL) else ""


def origin_of(hold_id: str) -> str:
    """Returns the origin of the treatment that ends the hold; an empty text if the hold is of another
    sort."""
    return hold_id.removeprefix(_TREATMENT) if hold_id.startswith(_TREATMENT) else ""
