"""How is a page rendered? It is made from a template, in the reader's language, with the parts that every page has, and with headers that
restrict the browser."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import structlog
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes, select_autoescape
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context
from markupsafe import Markup
from prometheus_client import Counter

from schemas import hold_ids
from schemas.bounds import FIRST
from schemas.envelope import FURTHEST_ESTIMATE, LATEST_REPORT
from schemas.gate import PermitExit
from services.console.api.context import context_of, visitor
from services.console.api.documents import projection
from services.console.api.problems import Problem
from services.console.language.words import LANGUAGES, Language
from services.console.pages.formatting import BEIJING, Sight
from services.console.readmodel.container import GONE
from services.shell.clock import CLOCK, now
from services.shell.fresh import fresh_key

log = structlog.get_logger()
NOT_SHOWN = Counter("customs_console_rows_not_shown", "Rows of pages that could not be rendered")
FOLDER = Path(__file__).parent
PROBLEM = "problem.html"
LONGEST_PAGE = 900_000
"""The most bytes of a page that shows a form again with the typed text. A page of more than a million bytes would not
be sent (`LONGEST_ANSWER`)."""
COOKIE = "dtg_language"
YEAR_SECONDS = 31_536_000
FORM_DAYS = timedelta(days=1)
"""The forms of a page accept times up to this long after the page was made, so that a form that lies open for a day
accepts the time at which it is sent. This limit only catches wrong days and years; the API itself refuses a time that
is further ahead than `Request.most_ahead`."""
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class RowExtension(Extension):
    """`{% row "tr", 5 %}…{% endrow %}`: if rendering this part of a template raises an exception, a notice takes its place, and the rest of the
    page is shown.

    Arguments: the name of the part's HTML element, and for `tr` the number of its columns.
    """

    tags = {"row"}  # noqa: RUF012 - as the base class declares it

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        arguments = [parser.parse_expression(), nodes.ContextReference()]
        arguments.append(parser.parse_expression() if parser.stream.skip_if("comma") else nodes.Const(1))
        body = parser.parse_statements(("name:endrow",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_row", arguments), [], [], body).set_lineno(line)

    def _row(self, element: str, context: Context, columns: int, caller: Callable[[], str]) -> Markup:
        try:
            return Markup(caller())  # noqa: S704 - a template's own output, whose values are escaped already
        except Exception as error:  # noqa: BLE001 (whatever is wrong with one row, the other rows are shown)
            NOT_SHOWN.inc()
            log.warning("row not shown", page=context["path"], template=context.name, error=f"{error!r:.500}")
            notice = Markup('<span class="error">{}</span>').format(context["t"]("page.not_shown"))
            if element == "tr":
                notice = Markup('<td colspan="{}">{}</td>').format(columns, notice)
            return Markup("<{0}>{1}</{0}>").format(element, notice)


_environment = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    extensions=[RowExtension],
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["hold_ids"] = hold_ids
_environment.globals["PermitExit"] = PermitExit


def _stamp() -> str:
    """Returns a digest of all static files. It is a part of their addresses, so that a browser never mixes files of two versions."""
    mark = sha256()
    for file in sorted((FOLDER / "static").iterdir()):
        mark.update(file.read_bytes())
    return mark.hexdigest()[:12]


STAMP = _stamp()


def language_of(request: Request) -> Language:
    """Returns the language of the page: the one in the address, else that of the cookie, else that of the browser, else that of the
    settings."""
    settings_language: Language = request.app.state.settings.language
    for choice in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if choice in LANGUAGES:
            return "zh" if choice == "zh" else "en"
    for part in request.headers.get("accept-language", "").split(","):
        primary = part.split(";")[0].strip().lower().split("-")[0]
        if primary in LANGUAGES:
            return "zh" if primary == "zh" else "en"
    return settings_language


def render(request: Request, template: str, status: int = 200, *, here: str = "", **values: Any) -> HTMLResponse:
    """Renders a page in the reader's language. `values`: the variables of the template. `here`: if the page answers a form that was sent to
    another address, the page's own address with its query."""
    language, moment = language_of(request), now()
    sight, standing = Sight(language, moment), context_of(request).standing()
    part = "hx-request" in request.headers
    path, _, query = here.partition("?") if here else (_own_path(request), "", "")
    parameters = dict(parse_qsl(query)) if here else dict(request.query_params)
    context = {
        "s": sight,
        "t": sight.t,
        "lang": language,
        "part": part,
        "path": path,
        "other_language": f"{path}?{urlencode({**parameters, 'lang': 'en' if language == 'zh' else 'zh'})}",
        "stamp": STAMP,
        "now": moment,
        "projection": projection(standing),
        "stale": not (
            standing.fresh(limit := context_of(request).settings.gate_stale_seconds) and standing.complete(limit)
        ),
        "sandbox": CLOCK.speed if CLOCK.is_sandbox else None,
        "who": visitor(request),
        "query": request.query_params.get("q", ""),
        "form_key": f"page/{fresh_key()}",
        "GONE": GONE,
        "earliest": _typed(max(FIRST, moment - LATEST_REPORT)),
        "latest": _typed(moment + FORM_DAYS * max(1.0, CLOCK.speed)),
        "latest_expected": _typed(moment + max(FURTHEST_ESTIMATE, FORM_DAYS * CLOCK.speed)),
        **values,
    }
    page = _environment.get_template(template).render(context)
    if values.get("problem") is not None and template != PROBLEM and len(page.encode()) > LONGEST_PAGE:
        # the page with the typed text is too long for an answer, so only the problem is shown
        return render(request, PROBLEM, status, here=here, problem=values["problem"])
    answer = HTMLResponse(page, status, headers=HEADERS)
    if request.query_params.get("lang") in LANGUAGES and not part:
        answer.set_cookie(COOKIE, language, max_age=YEAR_SECONDS, samesite="lax", httponly=True)
    return answer


def _typed(moment: datetime) -> str:
    """Returns the time in Beijing, to the minute, in the form that a `datetime-local` field of a browser has."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%dT%H:%M}"


def _own_path(request: Request) -> str:
    """Returns the path of the page for links. It begins with exactly one slash, because browsers take `//name` or `/\\name` for another
    host."""
    return "/" + quote(request.scope["path"].lstrip("/\\ \t\r\n"))


def show_problem(request: Request, problem: Problem) -> HTMLResponse:
    """Returns a problem as a page."""
    here = "" if request.method == "GET" else "/"
    page = render(request, PROBLEM, problem.status, here=here, problem=problem.details())
    page.headers.update(problem.headers)
    return page
