"""Which query parameters does a route have? What it does not have is refused: whoever writes `cursor` for `after` would begin at the
beginning without knowing it."""

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from services.console.api.problems import SHOWN_POINTER, FieldError, Problem, field_error

PROGRAMS = ("/api/", "/livez", "/readyz", "/consignments.csv")
"""What programs ask. A page for people opens whatever a mail program added to its link."""

OF_PAGES = frozenset({"lang"})
"""What every address of the pages has: the language, which the links to a spreadsheet carry on."""


def is_for_programs(path: str) -> bool:
    """Whether the route at this path refuses parameters that it does not have."""
    return path.startswith(PROGRAMS)


async def known(request: Request) -> None:
    """What every route depends on: Problem 422 with a pointer to each query parameter that the route does not have, or that is given
    twice. The names come from the route's own signature."""
    route = request.scope["route"]
    if not request.url.query or not isinstance(route, APIRoute) or not is_for_programs(route.path):
        return
    names = names_of(route.dependant) | (frozenset() if route.path.startswith("/api/") else OF_PAGES)
    faults, seen = list[FieldError](), set[str]()
    for name, value in request.query_params.multi_items():
        if name not in names:
            listed = ", ".join(sorted(names)) or "—"
            faults.append(field_error(_pointer(name), "unknown_parameter", value, known=listed))
        elif name in seen:
            faults.append(field_error(_pointer(name), "parameter_twice", value))
        seen.add(name)
    if faults:
        raise Problem(422, "invalid", errors=faults, count=len(faults))


def names_of(dependant: Dependant) -> frozenset[str]:
    """The query parameters of a route, and of all that it depends on."""
    own = frozenset([field.alias for field in dependant.query_params])
    return own.union(*[names_of(each) for each in dependant.dependencies])


def _pointer(name: str) -> str:
    return f"/query/{name.replace('~', '~0').replace('/', '~1')}"[:SHOWN_POINTER]
