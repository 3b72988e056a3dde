"""Does any answer show a masked field? Every field of every message, and every column that is made from a field,
contains a different word. The test looks for these words in each page, answer, feed, stream and file, and in the log,
for each role.

Only the marks of the fields (schemas.marks) say what may be found; a new field, kind, route or role is tested without a
change here.
"""

import re
from collections.abc import Container, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import httpx2
import pytest
from sqlalchemy import insert, select, update

from schemas.envelope import request_id
from schemas.marks import INSIDE, Audience
from services.console.access.rights import READS, ROUTES, Open, Role, Who
from services.console.readmodel import tables as t
from services.console.readmodel.database import open_engine
from services.console.readmodel.messages import packed_position
from tests.console.border import DECLARANT
from tests.console.planting import AT_US, BOX, GOODS, LODGED, OFFICE, ON_BOX, WATCHED, Planted, planted
from tests.console.quiet import Quiet, quiet

OUTSIDERS = [
    role for role in Role if Who("x", frozenset({role})).audience() is not None and role is not Role.ADMINISTRATOR
]
INSIDERS = [role for role in Role if Who("x", frozenset({role})).audience() is None]
HTML = {"Accept": "text/html"}


# ways out

FORM, JSON = {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "application/json"}
QUERIES = {
    "/api/v1/consignments": ("?q=MASKS", f"?q={BOX}", "?stage=held", "?q=MASKSBILL", "?owner=officer", ""),
    "/consignments": ("?q=MASKS", "?stage=held", "?waiting_for=officer", ""),
    "/consignments.csv": ("?q=MASKS", "?stage=held", "?waiting_for=officer", ""),
    "/consignments/{consignment_id}": ("", "?only=problems", f"?asked={LODGED}", "?lang=en"),
    "/containers/{container_no}": ("", f"?asked={ON_BOX}", f"?asked={LODGED}", "?lang=en"),
    "/api/v1/consignments/{consignment_id}/timeline": ("", "?only=milestones"),
    "/api/v1/releases": ("?after=0",),
    "/api/v1/releases/stream": ("?after=0",),
    "/unmatched": ("?days=0",),
}
ACTS = {"consignments": ("withdraw", "hold"), "containers": ("event", "hold"), "watches": ("place",)}
"""Page → the forms that the test sends: for goods and containers, one of a person outside customs and one of an
officer; for watches, one of an officer."""


def addresses(planted: Planted, path: str) -> Iterator[str]:
    """The addresses that the path has for the goods, container, watches, messages and requests of these tests."""
    keys = [GOODS, BOX, WATCHED]
    if "{message_id}" in path:
        for key, id_, _ in planted.messages:
            quoted = key.replace("/", "%2F")
            yield path.replace("{key}", quoted).replace("{message_id}", id_)
        return
    for request in (LODGED, ON_BOX) if "{request_id}" in path else ("",):
        made = path.replace("{consignment_id}", GOODS).replace("{container_no}", BOX).replace("{request_id}", request)
        made = made.replace("{key}", keys[0]).replace("{table}", "units").replace("{code}", "no_right")
        for act in ACTS[path.split("/")[1]] if "{act}" in path else ("",):
            named = re.sub(r"\{\w+\}", "w1", made.replace("{act}", act))
            yield named
            if path.startswith("/consignments/"):  # the page of goods under the number of a container
                yield named.replace(GOODS, BOX)


def read(
    client: httpx2.Client,
    method: str,
    address: str,
    headers: dict[str, str],
    statuses: Container[str] | None = None,
) -> tuple[int, str]:
    """Sends a request. Returns the status, and the headers followed by the whole content; of a stream, the content ends
    with the first event. `statuses`: the statuses that the API's document names for the address; None if the document
    does not name the address."""
    api = address.startswith("/api/")
    more: dict[str, Any] = {"headers": headers | ({} if api else HTML)}
    if method == "POST":
        more["content"] = b"{}" if api else b"reason="
        more["headers"] |= JSON if api else FORM
    with client.stream(method, address, **more) as answer:
        assert answer.status_code < 500 or answer.status_code == 503, (method, address)
        assert statuses is None or str(answer.status_code) in statuses, (method, address, answer.status_code)
        text = str(answer.headers)
        for piece in answer.iter_text():
            text += piece
            if "text/event-stream" in answer.headers.get("content-type", "") and "event:" in piece:
                break
        return answer.status_code, text


@pytest.fixture(scope="module")
def planted_rows() -> Planted:
    return planted()


@pytest.fixture(scope="module")
def console(planted_rows: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quiet]:
    with quiet(tmp_path_factory.mktemp("masks")) as running:
        running.run(*planted_rows.statements)
        yield running


def asking(console: Quiet, role: Role) -> dict[str, str]:
    """The headers of a new account with this role. The account has the company that declared the goods of these tests
    and the office of these goods, and it counts as the sender of the requests."""
    name = f"mask-{role}"
    console.run(update(t.LODGEMENTS).values(sender=name))
    return console.acting_as(name, roles=role.value, company=DECLARANT, office=OFFICE)


class Answer(NamedTuple):
    """What one way out answered. `route`: method and path of the route."""

    way: str
    route: tuple[str, str]
    status: int
    text: str


class Way(NamedTuple):
    """One way by which data gets out of the console. `name`: method, address and query as text; `route`: method and
    path of the route."""

    name: str
    route: tuple[str, str]
    address: str
    query: str


def ways(console: Quiet, planted_rows: Planted) -> Iterator[Way]:
    """Every way out of the console, except the forms by which a person signs in, signs out or changes the password."""
    for route in console.routes():
        for method in sorted((route.methods or set()) & {"GET", "POST"}):
            if (method, route.path) not in (("POST", "/sign-out"), ("POST", "/password"), ("POST", "/sign-in")):
                for address in addresses(planted_rows, route.path):
                    for query in QUERIES.get(route.path, ("",)):
                        yield Way(f"{method} {address}{query}", (method, route.path), address, query)


def everything(console: Quiet, planted_rows: Planted, key: dict[str, str]) -> Iterator[Answer]:
    """The answers of all ways out for the account with this key."""
    document = console.app.openapi()["paths"]
    for way, (method, path), address, query in ways(console, planted_rows):
        responses = document.get(path, {}).get(method.lower(), {}).get("responses")
        status, text = read(console.http, method, address + query, key, responses)
        yield Answer(way, (method, path), status, text)


UNANSWERED = {("GET", "/readyz"), ("GET", "/containers/{key}/messages/{message_id}")}
"""Routes that do not answer 200 here: `/readyz` needs a broker, and nobody outside customs may use the other route."""
OF_MESSAGES = {("GET", "/api/v1/messages/{key}/{message_id}")}
"""Routes for messages of goods, which carriers and terminals may not read."""


def open_to(role: Role) -> set[tuple[str, str]]:
    """The routes that the table of rights allows this role."""
    who = Who("x", frozenset({role}))
    return {route for route, right in ROUTES.items() if isinstance(right, Open) or who.may(right)}


@pytest.mark.parametrize("role", OUTSIDERS)
def test_no_way_out_tells_somebody_outside_what_is_masked(
    console: Quiet, planted_rows: Planted, role: Role, capfd: pytest.CaptureFixture[str]
) -> None:
    audience = Who("x", frozenset({role})).audience()
    assert audience is not None
    hidden, leaks, found_tokens, answered = planted_rows.hidden(audience), {}, set[str](), set[tuple[str, str]]()
    for way, route, status, text in everything(console, planted_rows, asking(console, role)):
        found = planted_rows.found(text)
        answered |= {route} if status in (200, 303) else set()
        found_tokens |= found
        if found & hidden:
            leaks[way] = sorted(planted_rows.where[token] for token in found & hidden)
        assert "zq-watched" not in text, f"{way} tells that somebody is watched"
    assert leaks == {}
    may = {each for each in open_to(role) if each[0] == "GET"}
    unanswered = UNANSWERED | (OF_MESSAGES if audience is Audience.PORT else set())
    assert may - answered <= unanswered, "else nothing could have been found"
    assert not planted_rows.found("".join(capfd.readouterr())) & planted_rows.hidden(Audience.PORT), (
        "no log tells it either"
    )
    if audience is Audience.DECLARANT:
        of_goods = {w for key, _, tokens in planted_rows.messages if key == GOODS for w in tokens}
        meant = {token for token in of_goods if planted_rows.tokens[token] is not INSIDE}
        assert meant <= found_tokens, sorted(planted_rows.where[token] for token in meant - found_tokens)


def on_record(console: Quiet, reader: str) -> set[str]:
    """The goods and lists that this person is recorded to have read."""
    console.app.state.readings.write()
    engine = open_engine(console.settings.database_url)
    with engine.connect() as connection:
        found = set(connection.scalars(select(t.READINGS.c.subject).where(t.READINGS.c.reader == reader)))
    engine.dispose()
    return found


def test_whoever_of_customs_is_told_what_is_masked_for_others_is_on_record_by_goods_or_list(
    console: Quiet, planted_rows: Planted
) -> None:
    """For each route there is a new account, which has every role of customs and has read nothing before."""
    hidden, about = planted_rows.hidden(Audience.DECLARANT), {LODGED: GOODS, ON_BOX: BOX, "watches%2F0": WATCHED}
    missing, unmasked_routes = dict[str, set[str]](), set[tuple[str, str]]()
    for number, (route, there) in enumerate(groupby(ways(console, planted_rows), key=lambda way: way.route)):
        reader = f"reads-{number}"
        key = console.acting_as(reader, roles=" ".join(INSIDERS), company="", office=OFFICE)
        for way in there:
            status, text = read(console.http, way.route[0], way.address + way.query, key)
            may_tell = status == 200 and route[0] == "GET" and route[1] in READS
            if may_tell or planted_rows.found(text) & hidden:
                unmasked_routes.add(route)
                named = [about.get(part, part) for part in re.split("[/=?]", way.address + way.query)]
                wanted = {part for part in named if part in (GOODS, BOX, WATCHED)} or {
                    way.address.partition("/act/")[0]
                }
                if "?q=" in way.query:
                    wanted = {GOODS, way.address}
                if absent := wanted - on_record(console, reader):
                    missing[way.name] = absent
    assert missing == {}
    forms = {
        ("POST", f"/{page}/act/{{act}}") for page in ("consignments/{consignment_id}", "containers/{container_no}")
    }
    assert forms | {("GET", "/board"), ("GET", "/requests/{request_id}")} <= unmasked_routes, (
        "else nothing was looked at"
    )


@pytest.mark.parametrize("role", INSIDERS)
def test_inside_a_message_is_whole(console: Quiet, planted_rows: Planted, role: Role) -> None:
    key = asking(console, role)
    for about, id_, tokens in planted_rows.messages:
        # the key WATCHED has a slash and cannot be part of an address
        if about != WATCHED:
            assert planted_rows.found(read(console.http, "GET", f"/api/v1/messages/{about}/{id_}", key)[1]) == tokens, (
                about,
                id_,
            )
    shown = planted_rows.found(read(console.http, "GET", f"/api/v1/consignments/{GOODS}", key)[1])
    assert {planted_rows.where[token] for token in shown} >= {
        "consignments.credit_grade",
        "consignments.rule_set",
        "holds.reason",
    }


def test_words_stand_in_every_field_that_holds_a_persons_words(planted_rows: Planted) -> None:
    """Only fields with codes, times, numbers and identifiers of goods accept no planted word and keep their values."""
    names = {where.rpartition(".")[2] for where in planted_rows.unplanted}
    assert not names & {"reason", "remarks", "officer", "asked_by", "seen", "placed_by", "unit", "rule", "rule_set"}
    assert {token for token, mark in planted_rows.tokens.items() if mark is INSIDE} and len(planted_rows.tokens) > 300


def test_why_a_request_was_sent_back_is_told_to_whoever_sent_it_and_inside(console: Quiet) -> None:
    sent_back = request_id("mask", "sent back")
    request = {"request_id": sent_back, "kind": "WithdrawDeclaration", "subject": GOODS}
    refused = {"desk": "release", "subject": GOODS, "request_id": sent_back, "request_kind": "WithdrawDeclaration"}
    at = packed_position("customs-release-facts", 0, 90_002)
    refusal = {"code": "already_released", "reason": "released in version 3", "refused_us": AT_US}
    console.run(
        insert(t.LODGEMENTS).values(**request, sender="sent-it", asked_us=AT_US),
        insert(t.REFUSALS).values(place=at, **refused, **refusal),
    )
    answers = []
    for name, role in (("sent-it", Role.DECLARANT), ("a colleague", Role.DECLARANT), ("an officer", Role.RELEASE)):
        key = console.acting_as(name, roles=role.value, company=DECLARANT, office=OFFICE)
        answer = console.api("GET", f"/requests/{sent_back}", headers=key).json()
        answers.append((answer["refusal_code"], answer["reason"]))
    assert answers == [
        ("already_released", "released in version 3"),
        ("already_released", None),
        ("already_released", "released in version 3"),
    ]
