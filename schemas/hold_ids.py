"""How is a hold named, and what does its name tell? Ids of holds are made and recognised here and nowhere else.

They stand in records, in rows of the read model and at ports, so that none of them ever changes.
"""

from typing import Final

ASSESSMENT: Final = "assessment"
"""Until the risk desk has assessed the goods."""
ARRIVAL: Final = "arrival"
"""Until all of the goods have arrived."""
_CONTROL, _TREATMENT, _DEPARTURE, _OFFICER = "inspection/", "quarantine/", "gate/", "officer/"
_WATCH, _LAPSE = f"{_OFFICER}watch/", f"{_OFFICER}lapse/"


def of_control(control: str) -> str:
    """Until this control (`ControlKind`) has an answer that lets the goods go."""
    return f"{_CONTROL}{control}"


def of_treatment(origin: str) -> str:
    """Until the goods are treated; `origin`: `risk`, or the control that met a living pest."""
    return f"{_TREATMENT}{origin}"


def of_departure(container_no: str) -> str:
    """Of goods that left without release in this container, until that turns out to be wrong."""
    return f"{_DEPARTURE}{container_no}"


def of_officer(request_id: str) -> str:
    """What an officer asked for by this request."""
    return f"{_OFFICER}{request_id}"


def of_watch(watch_id: str) -> str:
    """What this watch puts on goods that it matches; an officer lifts it."""
    return f"{_WATCH}{watch_id}"


def of_lapse(version: int) -> str:
    """After the release of this version, which nobody used in time; an officer lifts it."""
    return f"{_LAPSE}{version}"


def is_for_an_officer(hold_id: str) -> bool:
    """Whether an officer lifts it: placed by one, by a watch, or after a release that nobody used."""
    return hold_id.startswith(_OFFICER)


def is_of_watch(hold_id: str) -> bool:
    """Whether a watch placed it."""
    return hold_id.startswith(_WATCH)


def is_of_lapse(hold_id: str) -> bool:
    """Whether it follows a release that nobody used in time."""
    return hold_id.startswith(_LAPSE)


def is_of_departure(hold_id: str) -> bool:
    """Whether goods left without release."""
    return hold_id.startswith(_DEPARTURE)


def control_of(hold_id: str) -> str:
    """The control whose answer it waits for; empty where it waits for none."""
    return hold_id.removeprefix(_CONTROL) if hold_id.startswith(_CONTROL) else ""


def origin_of(hold_id: str) -> str:
    """What made the treatment necessary that it waits for; empty where it waits for none."""
    return hold_id.removeprefix(_TREATMENT) if hold_id.startswith(_TREATMENT) else ""
