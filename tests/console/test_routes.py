"""Does the table of rights name each address of the console, and none that is not there?"""

from services.console.access.rights import ROUTES
from services.console.app import create_app
from services.console.settings import ConsoleSettings
from tests.console.routes import routes_of

UNROUTED = {"/openapi.json", "/static"}
"""What is open to all without a route of ours: the document of the API, and files of the pages."""


def test_each_route_has_a_row_and_each_row_a_route() -> None:
    app = create_app(ConsoleSettings())
    there = {(method, route.path) for route in routes_of(app) for method in route.methods or ()}
    assert there == set(ROUTES)
    others = {str(getattr(route, "path", "")) for route in app.routes} - {path for _, path in there}
    assert others - {"", "None"} <= UNROUTED
