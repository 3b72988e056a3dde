"""Which declarations are lodged on a simulated day? The seed and the index of a consignment determine everything about
it, in every process and at every time."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import NamedTuple

from schemas.codes.iso6346 import check_digit
from schemas.codes.uscc import with_check_signs
from schemas.declaration import Declaration, DeclaredContainer, Item
from schemas.vocabulary import Direction, consignment_id
from services.simulator.dice import throw
from services.simulator.slips import Slip, slip_of

HOURS = (2, 2, 1, 1, 1, 2, 3, 5, 8, 9, 9, 7, 5, 7, 8, 8, 7, 5, 3, 2, 2, 2, 2, 2)
"""The weight of each hour of the day (China Standard Time) in the number of lodgements. Most are in office hours, some
at night."""
_TOTAL = sum(HOURS)
_EDGES = tuple([sum(HOURS[:hour]) / _TOTAL for hour in range(25)])

OFFICES = ("4201", "4218", "4227", "4227", "4227", "4240", "4247", "4258", "4300")
MODES = ("2", "2", "2", "2", "5", "5", "4", "3", "6")
COUNTRIES = ("KR", "KR", "JP", "JP", "US", "US", "DE", "VN", "TH", "AU", "BR", "RU", "MX", "FR", "NL", "CA", "IT", "MY")
GOODS: tuple[tuple[str, str, str, float, float], ...] = (
    ("8471300000", "portable computers", "001", 2.0, 480.0),
    ("8517130000", "smartphones", "001", 0.25, 310.0),
    ("8542319000", "integrated circuits", "007", 0.01, 4.2),
    ("8703234110", "passenger cars", "003", 1500.0, 21000.0),
    ("8708999990", "vehicle parts", "035", 1.0, 9.5),
    ("3901100001", "polyethylene", "035", 1.0, 1.3),
    ("3926909090", "articles of plastics", "035", 1.0, 5.1),
    ("4011100000", "tyres", "007", 9.0, 62.0),
    ("7210490000", "galvanised sheet", "035", 1.0, 0.9),
    ("8481804090", "valves", "007", 1.4, 33.0),
    ("9403609990", "wooden furniture", "011", 22.0, 120.0),
    ("6403990090", "footwear", "011", 0.8, 24.0),
    ("2204210000", "wine", "095", 1.3, 6.5),
    ("1806900000", "chocolate", "035", 1.0, 7.4),
    ("3304990099", "cosmetics", "035", 1.0, 41.0),
    ("8414309000", "compressors", "007", 12.0, 88.0),
    ("8504409999", "power supplies", "007", 0.9, 14.0),
    ("5402339000", "polyester yarn", "035", 1.0, 1.7),
    ("9018909919", "medical instruments", "007", 0.7, 260.0),
    ("8536901100", "connectors", "035", 1.0, 22.0),
)
"""Goods whose HS code meets no rule of the risk desk: HS code, name, unit, kilograms per unit, US dollars per unit."""
WATCHED: tuple[tuple[str, str, str, float, float], ...] = (
    ("4407110090", "sawn pine", "033", 550.0, 240.0),
    ("0301999590", "live fish", "035", 1.0, 11.0),
    ("0602909999", "live plants", "007", 1.1, 6.0),
    ("0805100000", "oranges", "035", 1.0, 1.1),
    ("1201901100", "soya beans", "035", 1.0, 0.6),
    ("0202300090", "frozen beef", "035", 1.0, 5.4),
    ("0303540000", "frozen mackerel", "035", 1.0, 2.1),
    ("2815120000", "caustic soda solution", "035", 1.0, 0.4),
    ("9013809090", "optical devices", "007", 0.5, 900.0),
)
"""Goods whose HS code meets a rule of the risk desk. The columns are those of `GOODS`."""
MOST_OF_A_LINE_KG = 2000.0
"""The most kilograms of a line. Eight lines of a consignment and eight of its neighbour then fit into one container."""
WATCHED_SHARE = 0.10
WRONG_SHARE = 0.015
"""The share of declarations with a mistake that the declaration desk finds."""
WITHDRAWN_SHARE = 0.01
AGAIN_SHARE = 0.5
"""The share of the withdrawn consignments that are lodged again under the same reference, in the same containers."""
IMPORT_SHARE = 0.6
HELD_SHARE = 0.006
"""The share of the green consignments on which an officer places a hold for a while."""
REPEATED_SHARE = 0.01
"""The share of consignments that are lodged twice, as if a client repeated its request."""
SHARED_SHARE = 0.45
"""Two neighbouring consignments that both go by sea share a container and a ship with this probability. So a fifth of
all sea consignments share one."""
BLOCK = 100
"""The size of a block of consignments. Imports by sea in the second half of a block come in containers in which imports
of the first half came before. A third of all containers come back in this way."""
PREFIX = "SIM"
_WRONG, _RIGHT = 13, 14
"""These are added to the seed, to make the numbers of two containers into which goods are stripped: `_WRONG` for the
wrong container, `_RIGHT` for the right one. So these two numbers differ from all other container numbers of the day."""


REMEMBERED = 100_000
"""How many of the latest intents a day caches. They are cached because making a declaration again takes far longer."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What the people plan for one consignment. `conveyance`: the ship, flight, train or truck of the goods;
    `arrives_after`: seconds of the border's clock from the assessment to the arrival. `withdraws`: whether the
    declarant withdraws the declaration if its lane is green; `again`: whether the goods are then declared again.
    `held`: whether an officer places a hold if the lane is green; `repeated`: whether the declaration is sent twice."""

    declarant: str
    conveyance: str
    arrives_after: float
    withdraws: bool
    held: bool
    repeated: bool
    again: bool = False


class Stay(NamedTuple):
    """One visit of a container. `lots`: the ids of the consignments in it; `imported`: whether they are imports, which
    leave through the land gate."""

    lots: tuple[str, ...]
    imported: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """One consignment, and what the people plan for it."""

    index: int
    declaration: Declaration
    lodged_at: datetime
    intent: Intent

    @property
    def consignment_id(self) -> str:
        return consignment_id(self.declaration.declarant, self.declaration.reference)

    def inside(self, box: str) -> "Plan":
        """Returns the plan of the same goods, alone in this container."""
        boxes = (DeclaredContainer(container_no=box),)
        return replace(self, declaration=self.declaration.model_copy(update={"containers": boxes}))


@dataclass(frozen=True)
class Day:
    """The plans of simulated days. Each day has this many `consignments`, and the first begins at `start`. Consignments
    are numbered from 0 over all days."""

    seed: int
    consignments: int
    start: datetime
    _intents: dict[int, Intent] = field(default_factory=dict, init=False, repr=False, compare=False)
    _returns: dict[int, tuple[dict[int, int], dict[int, int]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def lodged_at(self, index: int) -> datetime:
        """Returns when the consignment of this index is lodged. A higher index is lodged later. The lodgements of a day
        are distributed over its hours by the weights in `HOURS`."""
        day, number = divmod(index, self.consignments)
        share = (number + 0.5) / self.consignments
        hour = min(23, bisect_left(_EDGES, share) - 1)
        within = (share - _EDGES[hour]) / (_EDGES[hour + 1] - _EDGES[hour])
        return self.start + timedelta(days=day, hours=hour + within)

    def index_at(self, moment: datetime) -> int:
        """Returns the index of the first consignment that is lodged at or after this moment; 0 before the start."""
        days = max(0, (moment - self.start).days)
        first = days * self.consignments
        return bisect_left(range(first, first + 2 * self.consignments), moment, key=self.lodged_at) + first

    def plan(self, index: int) -> Plan:
        """Returns the plan of the consignment of this index."""
        dice = Random(f"{self.seed}/{index}")
        declaration = _declaration(self.seed, index, dice)
        intent = Intent(
            declaration.declarant,
            declaration.conveyance,
            dice.expovariate(1 / 5400),
            dice.random() < WITHDRAWN_SHARE,
            dice.random() < HELD_SHARE,
            dice.random() < REPEATED_SHARE,
            dice.random() < AGAIN_SHARE,
        )
        self._intents[index] = intent
        if len(self._intents) > REMEMBERED:
            self._intents.pop(next(iter(self._intents)), None)
        return Plan(index, declaration, self.lodged_at(index), intent)

    def intent(self, index: int) -> Intent:
        """Returns what the people plan for the consignment of this index."""
        return self._intents.get(index) or self.plan(index).intent

    def shares(self, index: int) -> bool:
        """Returns whether this consignment and its neighbour (indexes 2n and 2n + 1) share a container."""
        return _shares(self.seed, index - index % 2)

    def before(self, index: int) -> int | None:
        """Returns the index of an earlier consignment, whose container this consignment uses again, provided that the
        container has left. Returns None if this consignment comes in a new container."""
        return self._block(index)[0].get(index)

    def after(self, index: int) -> int | None:
        """Returns the index of the later consignment that uses the container of this consignment again; None if there
        is none."""
        return self._block(index)[1].get(index)

    def _block(self, index: int) -> tuple[dict[int, int], dict[int, int]]:
        block = index // BLOCK
        if block not in self._returns:
            before = dict(_returning(self.seed, block * BLOCK))
            self._returns[block] = before, {first: second for second, first in before.items()}
            if len(self._returns) > REMEMBERED // BLOCK:
                self._returns.pop(next(iter(self._returns)))
        return self._returns[block]

    def box(self, index: int) -> str:
        """Returns the number of the container for a consignment that is alone in its container."""
        return _box(self.seed, index)

    def index_of_box(self, box: str) -> int | None:
        """Returns the index of the first consignment for which this container is planned; None if it is not a container
        of the simulator."""
        return _index_of_box(self.seed, box)

    def slip(self, index: int) -> Slip:
        """Returns the wrong report about the container of these goods, which is corrected later. It is NONE for
        exports, for goods that share a container or come in a returning one, and for goods that will be held or
        withdrawn."""
        slip = slip_of(throw(self.seed, self.box(index), "slip"))
        if slip is Slip.NONE or not _imported_alone(self.seed, index) or self.before(index) is not None:
            return Slip.NONE
        intent = self.intent(index)
        return Slip.NONE if intent.held or intent.withdraws else slip

    def targets(self, index: int) -> tuple[str, str]:
        """Returns two containers into which these goods are reported to be stripped: first the wrong one, then the
        right one."""
        return _box(self.seed + _WRONG, index), _box(self.seed + _RIGHT, index)

    def is_wrong_target(self, box: str) -> bool:
        """Returns whether goods are stripped into this container only according to a wrong report."""
        return _index_of_box(self.seed + _WRONG, box) is not None

    def stays(self, first: int, last: int) -> dict[str, list[Stay]]:
        """Returns container → its first and, if it has one, second visit, as they really are, for the consignments
        `first` to `last` (exclusive).

        If a container does not leave, it does not come back either. The goods that should come in it on its second
        visit then come in a container of their own, which is listed, too. Goods that are really stripped leave in
        another container, so they leave neither in their first container nor in the container that was reported by
        mistake.
        """
        found: dict[str, list[Stay]] = {}
        for index in range(first, last):
            plan = self.plan(index)
            imported = plan.declaration.direction is Direction.IMPORT
            for box in plan.declaration.containers:
                pair = (index - index % 2, index - index % 2 + 1) if box.shared_by == 2 else (index,)
                lots = tuple(
                    [plan.consignment_id if each == index else self.plan(each).consignment_id for each in pair]
                )
                found.setdefault(box.container_no, [Stay(lots, imported)])
            if self.slip(index) is Slip.STRIPPED:
                found[self.targets(index)[1]] = [Stay((plan.consignment_id,), imported)]
            before = self.before(index)
            if before is not None and before >= first:
                found[self.box(before)].append(Stay((plan.consignment_id,), imported))
        return found


def _returning(seed: int, first: int) -> Iterator[tuple[int, int]]:
    """Yields pairs of indexes: of a later consignment, in the second half of a block, and of an earlier one, in the
    first half. The later consignment uses the container of the earlier one again. Each of the two is an import by sea,
    alone in its container."""
    fits = [index for index in range(first, first + BLOCK) if _imported_alone(seed, index)]
    early = [index for index in fits if index < first + BLOCK // 2]
    late = [index for index in fits if index >= first + BLOCK // 2]
    return zip(late, early, strict=False)


def _imported_alone(seed: int, index: int) -> bool:
    dice = Random(f"{seed}/{index}")
    return dice.choice(MODES) == "2" and dice.random() < IMPORT_SHARE and not _shares(seed, index - index % 2)


@lru_cache(4 * BLOCK)
def _shares(seed: int, first: int) -> bool:
    """Returns whether the consignments with the indexes `first` and `first` + 1 share a container. They can share one
    only if both go by sea."""
    pair = Random(f"{seed}/pair/{first}").random() < SHARED_SHARE
    return pair and all(Random(f"{seed}/{each}").choice(MODES) == "2" for each in (first, first + 1))


def index_of(reference: str, seed: int) -> int | None:
    """Returns the index in a reference or bill of this seed; None if the text is not a reference of the simulator."""
    head, _, tail = reference.partition("-")
    return int(tail) if head == f"{PREFIX}{seed}" and tail.isdigit() else None


def _declaration(seed: int, index: int, dice: Random) -> Declaration:
    mode = dice.choice(MODES)
    imports = dice.random() < IMPORT_SHARE
    ship = Random(f"{seed}/ship/{index - index % 2}") if _shares(seed, index - index % 2) else None
    if ship is not None:
        imports = ship.random() < IMPORT_SHARE
    country = dice.choice(COUNTRIES)
    lines = [_item(dice, country if imports else "CN") for _ in range(min(8, 1 + int(dice.expovariate(0.7))))]
    net = sum([item.net_mass_kg for item in lines], Decimal(0))
    total = sum([item.total_price for item in lines], Decimal(0))
    firm = _firm(seed, dice.randrange(2000))
    name = f"{PREFIX}{seed}-{index}"
    wood = imports and dice.random() < 0.02
    consignee = firm if dice.random() < 0.8 else _firm(seed, dice.randrange(2000))
    office = dice.choice(OFFICES)
    trade = "0110" if dice.random() < 0.9 else "3010"
    conveyance = _conveyance(mode, dice if ship is None else ship, index)
    declaration = Declaration(
        reference=name,
        declarant=firm,
        consignee=consignee,
        direction=Direction.IMPORT if imports else Direction.EXPORT,
        customs_office=office,
        trade_mode=trade,
        transport_mode=mode,
        conveyance=conveyance,
        bill_no=name,
        departure_country=country if imports else "CN",
        destination_country="CN" if imports else country,
        goods_place="青岛前湾 Qianwan" if mode == "2" else "",
        packages=dice.randrange(1, 400),
        package_kind="93" if wood else "22",
        wood_packaging=wood,
        gross_mass_kg=(net * Decimal("1.08")).quantize(Decimal("0.01")) + 1,
        net_mass_kg=net,
        invoice_total=total,
        currency="USD",
        containers=_containers(seed, index) if mode == "2" else (),
        items=tuple(lines),
    )
    return _spoilt(declaration, dice) if dice.random() < WRONG_SHARE else declaration


def _item(dice: Random, origin: str) -> Item:
    goods = WATCHED if dice.random() < WATCHED_SHARE / 2 else GOODS
    code, name, unit, mass, price = dice.choice(goods)
    quantity = Decimal(1 + (dice.randrange(1, 900) - 1) % max(1, int(MOST_OF_A_LINE_KG / mass)))
    each = Decimal(str(round(price * (0.8 + 0.4 * dice.random()), 2)))
    return Item(
        hs_code=code,
        description=name,
        origin_country=origin,
        quantity=quantity,
        unit=unit,
        net_mass_kg=(quantity * Decimal(str(mass))).quantize(Decimal("0.01")),
        unit_price=each,
        total_price=quantity * each,
        currency="USD",
    )


def _spoilt(declaration: Declaration, dice: Random) -> Declaration:
    first = declaration.items[0]
    wrong = dice.randrange(4)
    if wrong == 0:
        return declaration.model_copy(
            update={"consignee": declaration.consignee[:-1] + "0" + declaration.consignee[-1:]}
        )
    if wrong == 1:
        return declaration.model_copy(update={"invoice_total": declaration.invoice_total * 2 + 1})
    if wrong == 2:
        return declaration.model_copy(
            update={"items": (first.model_copy(update={"origin_country": "XX"}), *declaration.items[1:])}
        )
    return declaration.model_copy(update={"net_mass_kg": declaration.gross_mass_kg * 2})


def _firm(seed: int, number: int) -> str:
    return with_check_signs("91371000", f"MA{seed % 100:02}{number:04}")


def _conveyance(mode: str, dice: Random, index: int) -> str:
    match mode:
        case "2":
            # A container may come back in the second half of its block, but not with the same voyage. So the two halves
            # have different voyages.
            later = 40 * (index % BLOCK >= BLOCK // 2)
            return f"{dice.choice(('EVER', 'COSCO', 'MAERSK', 'HMM', 'ONE'))} {later + dice.randrange(40):03}E"
        case "5":
            return f"{dice.choice(('CA', 'MU', 'KE', 'NH'))}{dice.randrange(100, 999)}"
        case "4":
            return f"鲁B{dice.randrange(10000, 99999)}"
        case _:
            return f"{dice.randrange(10000, 99999)}"


def _containers(seed: int, index: int) -> tuple[DeclaredContainer, ...]:
    """Returns one container: the consignment's own, or the one that it shares with its neighbour."""
    if _shares(seed, index - index % 2):
        return (DeclaredContainer(container_no=_box(seed, index - index % 2), shared_by=2),)
    return (DeclaredContainer(container_no=_box(seed, index)),)


def _index_of_box(seed: int, box: str) -> int | None:
    """Returns the index of the consignment with this container on a day of this seed; None if there is none."""
    index = int(box[4:10]) if box[4:10].isdigit() else -1
    index += sum([(ord(letter) - 65) * size for letter, size in zip(box[1:3], (1_000_000, 26_000_000), strict=False)])
    return index if index >= 0 and _box(seed, index) == box else None


def _box(seed: int, index: int) -> str:
    owner = f"{chr(65 + seed % 26)}{chr(65 + index // 1_000_000 % 26)}{chr(65 + index // 26_000_000 % 26)}U"
    body = f"{owner}{index % 1_000_000:06}"
    return body + check_digit(body)
