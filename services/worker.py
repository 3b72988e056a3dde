"""Which desks does this process host? This module puts the parts of a worker together: `faust -A services.worker worker`, or `dtg
worker`."""

import importlib
from collections.abc import Iterable
from types import ModuleType

import faust
import structlog
from pydantic import ValidationError

from schemas.topics import SERVICES
from schemas.vocabulary import WATCHES
from services.risk.decider import RiskDecider
from services.risk.keys import PUBLISHED, PUBLISHED_ID, DrawKeys, NotDrawKeys, key_file, read
from services.shell.clock import is_sandbox
from services.shell.desk import Desk
from services.shell.ending import end_with_any_thread
from services.shell.layout import REFUSED_CODE, CannotContinue
from services.shell.private_file import NotPrivate, read_private
from services.shell.settings import WorkerSettings, unusable
from services.shell.worker import configure_logs, create_app


def desks(names: Iterable[str], draw_keys: DrawKeys | None = None) -> list[Desk]:
    """Returns the desks with these names. Raises CannotContinue if a name is not that of a service or if there is no name, and ValueError for a
    risk desk without keys."""
    chosen = list(names)
    unknown = sorted(set(chosen) - set(SERVICES))
    if unknown or not chosen:
        raise CannotContinue(
            f"DTG_DESKS names {', '.join(unknown) or 'no service'}; the services are {', '.join(SERVICES)}. 没有这些服务"
        )
    return [_desk(name, draw_keys) for name in chosen]


def _desk(name: str, draw_keys: DrawKeys | None) -> Desk:
    """Returns the desk with its decider and the other things that it needs. A process imports only the deciders of the desks that it
    hosts, and that of the risk desk. `schemas/flow.py` lists the messages that a desk reads and may publish."""
    match name:
        case "risk":
            if draw_keys is None:
                raise ValueError("the risk desk cannot draw without keys")
            return Desk(name, RiskDecider(draw_keys))
        case "release":
            return Desk.of(name, _module(name, "decider"), shared=WATCHES)
        case "clearance":
            return Desk.of(name, _module(name, "timeline"), _module(name, "metrics").OpenConsignments())
        case _:
            return Desk.of(name, _module(name, "decider"))


def _module(service: str, name: str) -> ModuleType:
    return importlib.import_module(f"services.{service}.{name}")


def draw_keys_of(settings: WorkerSettings) -> DrawKeys:
    """Returns the keys of the inspection draw of this installation. Raises CannotContinue if there are none, or if the published key is
    used with the system's clock."""
    if settings.draw_keys == PUBLISHED_ID:
        if not is_sandbox():
            raise CannotContinue(
                "DTG_DRAW_KEYS=published: with the published key everybody can foresee the inspection draw, so it goes "
                "with a sandbox clock only. 公开密钥只能用于沙箱时钟。 Name a key file, or leave DTG_DRAW_KEYS unset."
            )
        return PUBLISHED
    file = key_file(settings.draw_keys, settings.home)
    try:
        return read(read_private(file))
    except NotPrivate as error:
        raise CannotContinue(f"The inspection draw: {error}") from error
    except NotDrawKeys as error:
        raise CannotContinue(f"The key file of the inspection draw {file} {error}. See SECURITY.md") from error


def create() -> faust.App:
    """Returns the app of the worker that the environment describes. Exits with code 78 if starting again would not help."""
    end_with_any_thread()
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        raise _refused(unusable(error)) from None
    names = settings.desk_names()
    try:
        return create_app(desks(names, draw_keys_of(settings) if "risk" in names else None), settings)
    except CannotContinue as error:
        raise _refused(str(error), settings.desks, settings.log_level) from None


def _refused(why: str, names: str = "", level: str = "ERROR") -> SystemExit:
    """Logs why nothing is started, and returns the exception that ends the process."""
    configure_logs(level)
    structlog.get_logger().error("refused", desk=names, error=why)
    return SystemExit(REFUSED_CODE)


def __getattr__(name: str) -> faust.App:
    # The app is made only when it is asked for. So importing this module starts nothing.
    if name == "app":
        app = globals()["app"] = create()
        return app
    raise AttributeError(name)
