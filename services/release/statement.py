"""Which facts does one change of mind about goods consist of?"""

from datetime import datetime

from schemas.bounds import shown
from schemas.codes.refusals import RefusalCode
from schemas.declaration import LONGEST_BILL, WithdrawDeclaration
from schemas.envelope import Fact, RequestRefused, refusal_of
from schemas.hold_ids import ARRIVAL, is_of_departure, is_of_lapse
from schemas.phrases import Phrase, phrase, reason
from schemas.release import (
    ConsignmentHeld,
    ContainerFreed,
    ContainerHeld,
    DeclarationWithdrawn,
    Hold,
    RefusalRevoked,
    ReleaseGranted,
    ReleaseRefused,
    ReleaseRevoked,
)
from services.release.arrivals import arrival_was_wrong, arrived_pieces, arrived_whole
from services.release.departures import gone
from services.release.dossier import Bound, Dossier, Terms
from services.release.goods import Goods, Refused, Released, names, told_as, told_to_gate
from services.release.holds import ages, lifting, why_held
from services.release.transfers import containers, filled, here, sources


class Statement:
    """The facts of one change of mind, with the versions in order."""

    def __init__(self, consignment: str, state: Goods, dossier: Dossier, at: datetime) -> None:
        self.consignment, self.state, self.dossier, self.at = consignment, state, dossier, at
        self.version = state.version + 1
        self.came_from = sources(dossier)

    def keep(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """The goods are held, by these."""
        held = ConsignmentHeld(consignment_id=self.consignment, occurred_at=self.at, version=self.version, holds=holds)
        return (held, *self.to_gate(phrase("not_released_yet"), holds=holds, again=self._more_than_stated(holds)))

    def _more_than_stated(self, holds: tuple[Hold, ...]) -> bool:
        """Whether there is a hold that was not stated before, and of which the gate does not know itself."""
        known = {h.hold_id for h in self.state.stated}
        return any(h.hold_id not in known and not _is_of_the_way(h) for h in holds)

    def release(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """Everything, or (`holds` keep the rest) what has arrived."""
        terms, dossier = self.dossier.terms, self.dossier
        boxes, most = filled(dossier), arrived_pieces(dossier)
        arrived = max(boxes.values()) if boxes else arrived_whole(dossier) or (most.at if most else None)
        assert terms is not None and arrived is not None, "nothing else holds the goods, so both are known"
        granted = ReleaseGranted(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            declaration_no=terms.declaration_no,
            direction=terms.direction,
            customs_office=shown(terms.customs_office, 20),
            transport_mode=shown(terms.transport_mode, 20),
            bill_no=shown(terms.bill_no, LONGEST_BILL),
            containers=tuple(boxes),
            lane=terms.lane,
            arrived_at=arrived,
            answers=lifting(dossier),
            holds=holds,
            pieces=most.pieces if holds and most and not boxes else None,
            revisions=ages(dossier),
        )
        return (granted, *self.to_gate(phrase("not_arrived_yet"), holds=holds, released=True))

    def release_less(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """A part of what was released has not arrived after all: the release is called back first."""
        revoked = self._revoked(phrase("arrival_taken_back"))
        self.version += 1
        return (revoked, *self.release(holds))

    def revoke(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """The release is called back, for the first of these that is more than a missing part; then the goods are held."""
        stops = [h for h in holds if h.hold_id != ARRIVAL] or holds
        why = why_held(stops[0])
        revoked = self._revoked(why)
        self.version += 1
        held = ConsignmentHeld(consignment_id=self.consignment, occurred_at=self.at, version=self.version, holds=holds)
        return (revoked, held, *self.to_gate(why, holds=holds))

    def refuse(self, cause: str, why: Phrase, officers: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """The goods may never go, because of `cause`; a release is called back first."""
        facts: tuple[Fact, ...] = ()
        if isinstance(self.state, Released):
            facts = (self._revoked(why),)
            self.version += 1
        refused = ReleaseRefused(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            declaration_no=self.dossier.terms.declaration_no if self.dossier.terms else None,
            cause=shown(cause, 240),
            reason=reason(why),
            holds=officers,
            phrases=(why,),
        )
        again = isinstance(self.state, Refused) and self._more_than_stated(officers)
        return (*facts, refused, *self.to_gate(phrase("refused_for"), why, refused=True, again=again))

    def reconsider(self, cause: str) -> RefusalRevoked:
        """The refusal is taken back: what it was for is no failure any more."""
        why = phrase("failure_gone", hold=cause)
        return RefusalRevoked(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            reason=reason(why),
            phrases=(why,),
        )

    def withdraw(self, request_id: str, remark: str, terms: Terms) -> tuple[Fact, ...]:
        """The gate is told whether or not it heard of the goods before: the same facts whichever message came first."""
        withdrawn = DeclarationWithdrawn(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            request_id=shown(request_id, 200),
            reason=shown(remark, breaks=True),
        )
        sent_back = self.send_back(RefusalCode.ALREADY_WITHDRAWN, phrase("withdrawn_already"), but=request_id)
        arrived, boxes = here(self.dossier), containers(self.dossier)
        freed = [self._freed(terms, box, arrived, released=False) for box in boxes]
        return (withdrawn, *sent_back, *freed)

    def send_back(self, code: RefusalCode, why: Phrase, but: str = "") -> tuple[Fact, ...]:
        """The refusal of each wish to take the declaration back, `but` for this one."""
        wishes = [w.request_id for w in self.dossier.withdrawals if w.request_id != but]
        return tuple([refused(self.consignment, wish, code, why, self.at) for wish in wishes])

    def _revoked(self, why: Phrase) -> ReleaseRevoked:
        """It names what had been released."""
        state = self.state
        known = tuple(state.boxes) if isinstance(state, Released) else ()
        return ReleaseRevoked(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            containers=known or names(self.dossier),
            reason=reason(why),
            phrases=(why,),
        )

    def unchanged(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """The statement stands; but a container that came back to it may have missed it. Of one that was told something the gate takes
        another word only in a version of its own."""
        released, known_to_gate = isinstance(self.state, Released), told_to_gate(self.state)
        again = self.to_gate(phrase("not_released"), holds=holds, released=released)
        if any(fact.key in known_to_gate for fact in again):
            return again
        self.version = self.state.version
        return self.to_gate(phrase("not_released"), holds=holds, released=released) if again else ()

    def to_gate(
        self,
        *why: Phrase,
        holds: tuple[Hold, ...] = (),
        released: bool = False,
        refused: bool = False,
        again: bool = False,
    ) -> tuple[Fact, ...]:
        """What the gate does not know yet of each container. `released`: the goods are, so that each container in which they are here
        may go; `again`: what it knows, too, because more is against the goods now than an officer had seen who let them out.

        Of one that left with these goods released, it is told only what is against the goods in it: neither that others have not
        arrived or left unreleased, nor that the release lapsed for others.
        """
        terms = self.dossier.terms
        if terms is None:
            return ()
        known_to_gate, arrived = told_to_gate(self.state), here(self.dossier)
        spared: frozenset[str] = frozenset()
        if self.dossier.departures and not refused and all(_is_of_the_way(h) or is_of_lapse(h.hold_id) for h in holds):
            spared = gone(self.dossier)
        facts: list[Fact] = []
        for box in containers(self.dossier):
            number = box.container_no
            want = told_as(released and number in arrived, refused, number in arrived)
            known = known_to_gate.get(number)
            if (want == known and not again) or (known == "freed" and number in spared):
                continue
            if want == "freed":
                facts.append(self._freed(terms, box, arrived, released=True))
                continue
            facts.append(
                ContainerHeld(
                    container_no=shown(number, 17),
                    occurred_at=self.at,
                    consignment_id=self.consignment,
                    shared_by=box.shared_by,
                    version=self.version,
                    reason=reason(*why),
                    bill_no=shown(terms.bill_no, LONGEST_BILL),
                    conveyance=terms.conveyance,
                    direction=terms.direction,
                    arrived_at=arrived.get(number),
                    refused=refused,
                    source=self._source(number),
                    arrival_retracted=arrival_was_wrong(self.dossier, number) and number not in arrived,
                    phrases=why,
                )
            )
        known_boxes = {box.container_no for box in containers(self.dossier)}
        for number, known in known_to_gate.items():
            if number not in known_boxes and known != "not in it":  # a stripping was taken back
                facts.append(self._freed(terms, Bound(number, 1), arrived, released=False))
        return tuple(facts)

    def _freed(self, terms: Terms, box: Bound, arrived: dict[str, datetime], released: bool) -> ContainerFreed:
        return ContainerFreed(
            container_no=shown(box.container_no, 17),
            occurred_at=self.at,
            consignment_id=self.consignment,
            shared_by=box.shared_by,
            version=self.version,
            released=released,
            bill_no=shown(terms.bill_no, LONGEST_BILL),
            conveyance=terms.conveyance,
            direction=terms.direction,
            arrived_at=arrived.get(box.container_no),
            source=self._source(box.container_no),
            arrival_retracted=not released and box.container_no not in arrived,
        )

    def _source(self, number: str) -> str:
        """The container out of which goods went into this one; empty where none did."""
        return self.came_from[number].source if number in self.came_from else ""


def _is_of_the_way(hold: Hold) -> bool:
    """Whether it is for goods that have not arrived, or have left without release: the gate knows of that itself."""
    return hold.hold_id == ARRIVAL or is_of_departure(hold.hold_id)


def refused(
    consignment: str, request_id: str, code: RefusalCode, why: Phrase, at: datetime, of: str = WithdrawDeclaration.kind
) -> RequestRefused:
    """The refusal of a request that was heard before, and of which only the id is known; by default of a wish to take the declaration back."""
    return refusal_of(consignment, shown(request_id, 200), of, at, code, why)
