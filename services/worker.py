"""Which desks does this process host? The composition root: `faust -A services.worker worker`, or `dtg worker`."""

import importlib
from collections.abc import Iterable

import faust

from schemas.topics import SERVICES
from services.shell.desk import Desk
from services.shell.settings import WorkerSettings
from services.shell.worker import create_app


def desks(names: Iterable[str]) -> list[Desk]:
    """The desks of these names; ValueError for a name that is not a service."""
    chosen = list(names)
    unknown = sorted(set(chosen) - set(SERVICES))
    if unknown:
        raise ValueError(f"DTG_DESKS names {', '.join(unknown)}; the services are {', '.join(SERVICES)}")
    return [importlib.import_module(f"services.{name}.agent").DESK for name in chosen]


def create() -> faust.App:
    """The app of the worker that the environment describes."""
    settings = WorkerSettings()
    return create_app(desks(settings.desk_names()), settings)


def __getattr__(name: str) -> faust.App:
    if name == "app":  # made on demand, so that importing this module starts nothing
        app = globals()["app"] = create()
        return app
    raise AttributeError(name)
