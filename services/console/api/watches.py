"""How does a watch on a bill or a declarant reach every partition, and the goods that were known before it?

To place a watch, the console writes one row, sends one request to each partition of the release desk, and requests one
hold on each matching consignment in the rows. Consignments that were declared while the console did this are found by a
second search. The second search begins when the rows contain every message from before the moment at which the last
partition kept the watch.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy import update

from schemas.envelope import request_id
from schemas.hold_ids import of_watch
from schemas.release import LiftHold, LiftWatch, PlaceHold, PlaceWatch
from schemas.vocabulary import WATCHES
from services.console.api.problems import Problem
from services.console.api.request_producer import Asker, Prepared, RequestKey, prepare
from services.console.readmodel.database import DATABASE_ERRORS
from services.console.readmodel.queries import WATCH_COLUMNS, ReadModelQueries, WatchRow
from services.console.readmodel.tables import ASKED_WATCHES
from services.shell.clock import now
from services.shell.partition import key_in

MOST_OPEN = 500
"""The most watches that may be open at once. A partition of the release desk keeps no more than this many."""
MOST_LISTED = 1000
KNOWN_AT_ONCE = 500
"""How many consignments one query reads."""
FOLLOW_SECONDS = 1.0
LOOKS = 3
"""The second search begins when this many growing values of `as_of` were read after all partitions had answered. The
first value may have been measured before the last partition answered, but the last value was certainly measured after
that."""
log = structlog.get_logger()


class WatchCoordinator:
    """Places, lifts and completes watches. `as_of`: returns the time up to which the rows are complete, by the projector's clock, or None
    if they never were."""

    def __init__(
        self, asker: Asker, rows: ReadModelQueries, partitions: int, as_of: Callable[[], datetime | None]
    ) -> None:
        self._asker, self._rows, self._partitions, self._as_of = asker, rows, partitions, as_of
        self._complete_times: dict[str, list[datetime]] = {}
        """Id of a watch → the values of `as_of` that were read after every partition had answered, in growing order."""

    @property
    def partitions(self) -> int:
        return self._partitions

    async def place_watch(
        self, bill_no: str, declarant: str, reason: str, actor: str, key: RequestKey
    ) -> tuple[str, int]:
        """Sends the requests that place a watch. Returns the id of the watch, and on how many known consignments a hold was requested. From
        this call on, the gate's answer is no for goods that match.

        Raises Problem 503 if the broker has not acknowledged every request; the same call with the same key then completes the watch.
        Raises Problem 409 if too many watches are open, and 422 if the key was used for another watch."""
        watch_id, at = request_id(actor, key.hidden), now()
        copies = [
            prepare(
                PlaceWatch(
                    partition_key=key_in(WATCHES, partition, self._partitions),
                    asked_by=actor,
                    occurred_at=at,
                    watch_id=watch_id,
                    reason=reason,
                    bill_no=bill_no,
                    declarant=declarant,
                ),
                key.part(partition),
            )
            for partition in range(self._partitions)
        ]
        before = await self._watch(watch_id)
        if before is None:
            await self._bounded()
        elif (before.bill_no, before.declarant, before.reason) != (bill_no, declarant, reason):
            raise Problem(422, "key_reused", seen=key.idempotency_key)
        row = WatchRow(watch_id, bill_no, declarant, reason, actor, copies[0].request.asked_us, met=False, let_go=False)
        await self._asker.note(ASKED_WATCHES, [{name: getattr(row, name) for name in WATCH_COLUMNS}])
        await self._ask(copies)
        if before is not None and before.lifted_us is not None:
            return watch_id, 0
        return watch_id, await self._meet(row, copies)

    async def lift(self, watch_id: str, reason: str, actor: str, key: RequestKey) -> int:
        """Sends the requests that lift a watch. Returns for how many consignments it requested that the watch's hold is lifted. Raises
        Problem 404 if the watch is unknown, and 503 as in `place_watch`."""
        row = await self._watch(watch_id)
        if row is None:
            raise Problem(404, "unknown_watch", seen=watch_id[:100])
        at = now()
        copies = [
            prepare(
                LiftWatch(
                    partition_key=key_in(WATCHES, partition, self._partitions),
                    asked_by=actor,
                    occurred_at=at,
                    watch_id=watch_id,
                    reason=reason,
                ),
                key.part(partition),
            )
            for partition in range(self._partitions)
        ]
        for copy in copies:
            # if the same key was used with other content, this raises Problem 422 before anything is written
            await self._asker.before(copy.request)
        await self._ask(copies)
        w = ASKED_WATCHES.c
        lifted = row._replace(
            lift_id=request_id(actor, key.hidden),
            lift_reason=reason,
            lifted_by=actor,
            lifted_us=copies[0].request.asked_us,
            let_go=False,
        )
        known = {name: getattr(lifted, name) for name in WATCH_COLUMNS}
        changed = ("lift_id", "lift_reason", "lifted_by", "lifted_us", "let_go")
        change = update(ASKED_WATCHES).where(w.watch_id == watch_id).values({name: known[name] for name in changed})
        await self._asker.note(ASKED_WATCHES, [known], change)
        return await self._let_go(lifted, copies)

    async def follow(self) -> None:
        """Runs until it is cancelled. About once a second, it completes the watches that any console has begun to place
        or to lift."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                await self.finish()
            except Problem as problem:
                log.warning("watches wait", code=problem.code)
            except DATABASE_ERRORS as error:
                log.warning("watches wait", error=str(getattr(error, "orig", None) or error)[:300])

    async def finish(self) -> None:
        """Searches a second time for the consignments of each watch that is not complete. For a watch that was placed, requests holds on
        the consignments that became known meanwhile. For a watch that was lifted, requests that the holds which it made meanwhile are
        lifted."""
        unfinished = [row for row in await asyncio.to_thread(self._rows.unfinished_watches) if not row.finished]
        self._complete_times = {row.watch_id: self._complete_times.get(row.watch_id, []) for row in unfinished}
        for row in unfinished:
            answered = row.placed if row.lifted_us is None else row.lifted
            if answered < self._partitions or not self._complete(row.watch_id):
                continue
            w = ASKED_WATCHES.c
            if row.lifted_us is None:
                await self._meet(row, ())
                change = update(ASKED_WATCHES).where(w.watch_id == row.watch_id).values(met=True)
            else:
                await self._let_go(row, ())
                change = (
                    update(ASKED_WATCHES)
                    .where(w.watch_id == row.watch_id, w.lift_id == row.lift_id)
                    .values(let_go=True)
                )
            await self._asker.note(ASKED_WATCHES, [], change)

    def _complete(self, watch_id: str) -> bool:
        """Returns whether the rows contain every message from before the moment at which the last partition answered."""
        as_of, times = self._as_of(), self._complete_times[watch_id]
        if as_of is not None and (not times or as_of > times[-1]):
            times.append(as_of)
        return len(times) >= LOOKS

    async def _watch(self, watch_id: str) -> WatchRow | None:
        return next(iter(await asyncio.to_thread(self._rows.watches, 1, watch_id)), None)

    async def _bounded(self) -> None:
        open_now = [row for row in await asyncio.to_thread(self._rows.watches, MOST_LISTED) if row.lifted_us is None]
        if len(open_now) >= MOST_OPEN:
            raise Problem(409, "too_many_watches", limit=MOST_OPEN)

    async def _ask(self, copies: Sequence[Prepared], more: Sequence[Prepared] = ()) -> None:
        """Sends `more`, or `copies` if `more` is empty. `copies`: the requests that place or lift the watch, one for
        each partition. If the broker does not acknowledge everything that was sent, raises a Problem 503 that says how
        many of `copies` were acknowledged; without `copies`, raises the problem of `Asker.ask_all`."""
        try:
            await self._asker.ask_all(more or copies)
        except Problem as problem:
            if problem.status != 503 or not copies:
                raise
            there = sum([self._asker.request(copy.request.request_id) is not None for copy in copies])
            raise Problem(
                503, "watch_incomplete", headers=problem.headers, partitions=len(copies), acknowledged=there
            ) from problem

    async def _meet(self, row: WatchRow, copies: Sequence[Prepared]) -> int:
        """Sends a request to hold each consignment in the rows that matches and has not ended (see
        `ReadModelQueries.matching`), and returns the number of these requests."""
        after, count = "", 0
        while True:
            found = await asyncio.to_thread(self._rows.matching, row.bill_no, row.declarant, after, KNOWN_AT_ONCE)
            holds = [
                prepare(
                    PlaceHold(
                        consignment_id=each,
                        asked_by=row.asked_by,
                        occurred_at=now(),
                        reason=row.reason,
                        watch_id=row.watch_id,
                    ),
                    self._asker.own_key("watch", row.watch_id, each),
                )
                for each in found
            ]
            if holds:
                await self._ask(copies, holds)
            count += len(holds)
            if len(found) < KNOWN_AT_ONCE:
                return count
            after = found[-1]

    async def _let_go(self, row: WatchRow, copies: Sequence[Prepared]) -> int:
        """Sends a request to lift this watch's hold for each consignment that has the hold in the rows, and returns the
        number of these requests."""
        hold_id = of_watch(row.watch_id)
        lifts = [
            prepare(
                LiftHold(
                    consignment_id=each,
                    asked_by=row.lifted_by,
                    occurred_at=now(),
                    hold_id=hold_id,
                    reason=row.lift_reason,
                ),
                self._asker.own_key("lifted watch", row.watch_id, row.lift_id, each),
            )
            for each in await asyncio.to_thread(self._rows.held_by, hold_id)
        ]
        if lifts:
            await self._ask(copies, lifts)
        return len(lifts)
