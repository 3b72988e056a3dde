"""Which query parameters does a route have? On paths that programs call (`PROGRAMS`), other parameters are refused.
Otherwise a client that writes `cursor` instead of `after` would read from the beginning without noticing it."""

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from services.console.api.problems import SHOWN_POINTER, FieldError, Problem, field_error

PROGRAMS = ("/api/", "/livez", "/readyz", "/consignments.csv")
"""The beginnings of the paths that programs call. Pages for people accept unknown parameters, because mail programs add some to
links."""

OF_PAGES = frozenset({"lang"})
"""Parameters that every page accepts: the language. The path of the CSV file accepts them, too, because a page links to
that file."""


def is_for_programs(path: str) -> bool:
    """Returns whether the route at this path refuses query parameters that it does not have."""
    return path.startswith(PROGRAMS)


async def known(request: Request) -> None:
    """A dependency of every route. On paths that programs call, raises Problem 422 with a pointer to each query
    parameter that is not in the signature of the route, or that is given twice."""
    route = request.scope["route"]
    if not request.url.query or not isinstance(route, APIRoute) or not is_for_programs(route.path):
        return
    names = names_of(route.dependant) | (frozenset() if route.path.startswith("/api/") else OF_PAGES)
    faults, given = list[FieldError](), set[str]()
    for name, value in request.query_params.multi_items():
        if name not in names:
            listed = ", ".join(sorted(names)) or "—"
            faults.append(field_error(_pointer(name), "unknown_parameter", value, known=listed))
        elif name in given:
            faults.append(field_error(_pointer(name), "parameter_twice", value))
        given.add(name)
    if faults:
        raise Problem(422, "invalid", errors=faults, count=len(faults))


def names_of(dependant: Dependant) -> frozenset[str]:
    """Returns the names of the query parameters of a route and of its dependencies."""
    own = frozenset([field.alias for field in dependant.query_params])
    return own.union(*[names_of(each) for each in dependant.dependencies])


def _pointer(name: str) -> str:
    return f"/query/{name.replace('~', '~0').replace('/', '~1')}"[:SHOWN_POINTER]
