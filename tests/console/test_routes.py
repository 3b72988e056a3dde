"""Does the table of rights name exactly the addresses of the console?"""

from services.console.access.rights import ROUTES
from services.console.app import create_app
from services.console.settings import ConsoleSettings
from tests.console.routes import routes_of

UNROUTED = {"/openapi.json", "/static"}
"""Addresses without a route, which are open to everybody: the document of the API, and the files of the pages."""


def test_each_route_has_a_row_and_each_row_a_route() -> None:
    app = create_app(ConsoleSettings())
    there = {(method, route.path) for route in routes_of(app) for method in route.methods or ()}
    assert there == set(ROUTES)
    others = {str(getattr(route, "path", "")) for route in app.routes} - {path for _, path in there}
    assert others - {"", "None"} <= UNROUTED
