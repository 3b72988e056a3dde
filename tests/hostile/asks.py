"""Which bad requests may the console get? The requests are made from a seed: malformed bodies, odd paths, queries,
headers and methods. A hostility is one kind of bad request."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from tests.hostile.messages import HOSTILITIES, ODD, WRONG, Draft, Flood

ACTS: dict[str, Any] = {
    "arrival": {"place": "yard 3", "occurred_at": "2026-11-23T12:00:00+08:00"},
    "findings": {"control": "inspection", "result": "conform", "remarks": "seal intact"},
    "holds": {"reason": "seal differs"},
    "holds/lift": {"hold_id": "officer/1", "reason": "seal explained"},
    "treatments": {
        "origin": "risk",
        "attempt": 1,
        "method": "HT",
        "unit_class": "E",
        "started_at": "2026-11-23T12:00:00+08:00",
        "readings": [{"hours": "0", "temperature_c": "56", "place": "core 1"}],
    },
    "treatment-decisions": {
        "origin": "risk",
        "decision": "treat",
        "goods": "wood",
        "methods": ["HT"],
        "reason": "as I see it",
    },
    "withdrawal": {"reason": "sold"},
}
BODIES = (
    "random bytes", "cut off", "wrong type", "field missing", "field too many", "huge number", "negative number",
    "NaN or infinity", "year 9999 or 1", "odd text", "nested deeply", "key named twice", "null value", "not UTF-8", "NUL",
    "a megabyte", "a thousand lines", "several faults",
)  # fmt: skip
SEGMENTS = ("%00", "%ff%fe", "..%2f..%2fetc", "a" * 5000, "%F0%9F%9A%A2", "'", "%22", "-", "{consignment_id}", "%250a")


@dataclass
class Ask:
    """One HTTP request."""

    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Asks(Flood):
    """Makes requests to the console. `asks` yields (kind of hostility, request) without end. Bodies have the same kinds
    of faults as messages have (`tests/hostile/messages.py`)."""

    def __init__(self, seed: str) -> None:
        super().__init__("declaration", seed, 1)
        self._sent: list[Ask] = []
        self._count = 0

    def asks(self) -> Iterator[tuple[str, Ask]]:
        kinds: dict[str, tuple[int, Callable[[], Ask]]] = {
            "as agreed": (150, lambda: self._post(self.draft())),
            "said again": (50, lambda: self.dice.choice(self._sent) if self._sent else self._post(self.draft())),
            **{name: (HOSTILITIES[name][0], self._of(name)) for name in BODIES},
            "odd path": (60, self._odd_path),
            "odd query": (80, self._odd_query),
            "odd headers": (60, self._odd_headers),
            "odd method": (40, self._odd_method),
        }
        names, weights = list(kinds), [weight for weight, _ in kinds.values()]
        while True:
            (name,) = self.dice.choices(names, weights)
            ask = kinds[name][1]()
            if name == "as agreed":
                self._sent = [*self._sent, ask][-50:]
            yield name, ask

    def draft(self, topic: str = "", kind: str = "", known: float = 0.1) -> Draft:
        """Returns a draft with a correct body for some route. Its `topic` is the path of the route. The arguments are
        ignored."""
        self._count += 1
        goods, box = self._identity()
        route = self.dice.choice(("declarations", "declarations", "batch", "gate-outs", *ACTS))
        if route in ("declarations", "batch"):
            lodged = super().draft("customs-declaration-requests", "LodgeDeclaration").body["declaration"]
            one = {**lodged, "reference": f"H-{self._count}-{goods[:8]}"}
            body: Any = (
                one
                if route == "declarations"
                else {"declarations": [one, {**one, "reference": one["reference"] + "b"}]}
            )
            path = "/api/v1/declarations" + ("/batch" if route == "batch" else "")
        elif route == "gate-outs":
            path, body = f"/api/v1/containers/{box}/gate-outs", {"gate": "G2"}
        else:
            path, body = f"/api/v1/consignments/{goods}/{route}", orjson.loads(orjson.dumps(ACTS[route]))
        return self.seal(Draft("console", path, "LodgeDeclaration", body, None, None, {"content-type": b""}))

    def seal(self, draft: Draft) -> Draft:
        draft.value = orjson.dumps(draft.body)
        return draft

    def _of(self, name: str) -> Callable[[], Ask]:
        def made() -> Ask:
            draft = HOSTILITIES[name][1](self)
            assert isinstance(draft, Draft)
            return self._post(draft)

        return made

    def _post(self, draft: Draft) -> Ask:
        return Ask("POST", draft.topic, draft.value or b"", {"content-type": "application/json"})

    def _odd_path(self) -> Ask:
        segment = self.dice.choice(SEGMENTS)
        path = self.dice.choice(("consignments/{}", "consignments/{}/timeline", "containers/{}", "requests/{}", "{}"))
        return Ask("GET", "/api/v1/" + path.format(segment))

    def _odd_query(self) -> Ask:
        dice = self.dice
        path, names = dice.choice(
            (
                ("consignments", ("q", "stage", "limit", "cursor")),
                ("releases", ("after", "limit")),
                ("parked", ("limit",)),
                (f"consignments/{self._identity()[0]}/timeline", ("only",)),
            )
        )
        odd = (*map(str, WRONG), *ODD[:4], "9" * 40, "-1", "1e9", "\x00", "NaN", "%", "x" * 3000)
        query = "&".join(f"{name}={quote(dice.choice(odd), safe='')}" for name in dice.choices(names, k=2))
        return Ask("GET", f"/api/v1/{path}?{query}")

    def _odd_headers(self) -> Ask:
        ask = self._post(self.draft())
        name = self.dice.choice(
            (
                "content-type",
                "authorization",
                "cookie",
                "x-csrf-token",
                "idempotency-key",
                "last-event-id",
                "accept",
                "content-encoding",
            )
        )
        ask.headers = {
            **ask.headers,
            name: self.dice.choice(("", "x" * 300, "a\tb", "\xff\xfe", "text/xml", "gzip", "'", "\x80" * 64, "a;b=c")),
        }
        return ask

    def _odd_method(self) -> Ask:
        ask = self.dice.choice((self._odd_path(), self._post(self.draft())))
        ask.method = self.dice.choice(("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND"))
        return ask
