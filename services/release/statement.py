"""Of which facts does a new statement about goods consist?"""

from datetime import datetime

from schemas.bounds import shown
from schemas.codes.refusals import RefusalCode
from schemas.declaration import LONGEST_BILL, WithdrawDeclaration
from schemas.envelope import Fact, RequestRefused, refusal_of
from schemas.head import head_of
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
from services.release.departures import left_released
from services.release.dossier import Bound, Dossier, Terms
from services.release.goods import Goods, Refused, Released, gate_statement, gate_statements, names
from services.release.holds import latest_revisions, lifting, why_held
from services.release.transfers import arrived_since, containers, filled_since, first_transfers


class Statement:
    """Builds the facts of one decision about a consignment, with consecutive versions."""

    def __init__(self, consignment: str, state: Goods, dossier: Dossier, at: datetime) -> None:
        self.consignment, self.state, self.dossier, self.at = consignment, state, dossier, at
        self.version = state.version + 1
        self.came_from = first_transfers(dossier)

    def keep(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """Publishes that the goods stay held by `holds`, and the statements that the gate desk does not have yet."""
        held = ConsignmentHeld(consignment_id=self.consignment, occurred_at=self.at, version=self.version, holds=holds)
        return (held, *self.to_gate(phrase("not_released_yet"), holds=holds, again=self._more_than_stated(holds)))

    def _more_than_stated(self, holds: tuple[Hold, ...]) -> bool:
        """Returns whether one of these holds was not stated before. Holds for a missing arrival, or for a departure
        without release, do not count, because the gate desk knows of these itself."""
        known = {h.hold_id for h in self.state.stated}
        return any(h.hold_id not in known and not _is_of_the_way(h) for h in holds)

    def release(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """Releases the goods. If there are `holds`, they hold only goods that have not arrived, and the goods that have
        arrived are released."""
        terms, dossier = self.dossier.terms, self.dossier
        boxes, most = filled_since(dossier), arrived_pieces(dossier)
        arrived = max(boxes.values()) if boxes else arrived_whole(dossier) or (most.at if most else None)
        assert terms is not None and arrived is not None, "nothing else holds the goods, so both are known"
        granted = ReleaseGranted(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            **head_of(terms),
            containers=tuple(boxes),
            arrived_at=arrived,
            answers=lifting(dossier),
            holds=holds,
            pieces=most.pieces if holds and most and not boxes else None,
            revisions=latest_revisions(dossier),
        )
        return (granted, *self.to_gate(phrase("not_arrived_yet"), holds=holds, released=True))

    def release_less(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """Releases less than before, because a part of the goods has not arrived after all. So the release is revoked, and the rest
        is released anew."""
        revoked = self._revoked(phrase("arrival_taken_back"))
        self.version += 1
        return (revoked, *self.release(holds))

    def revoke(self, holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """Revokes the release and holds the goods. The reason is the first hold that is not for a missing arrival, if there is
        one."""
        stops = [h for h in holds if h.hold_id != ARRIVAL] or holds
        why = why_held(stops[0])
        revoked = self._revoked(why)
        self.version += 1
        held = ConsignmentHeld(consignment_id=self.consignment, occurred_at=self.at, version=self.version, holds=holds)
        return (revoked, held, *self.to_gate(why, holds=holds))

    def refuse(self, cause: str, why: Phrase, officer_holds: tuple[Hold, ...]) -> tuple[Fact, ...]:
        """Refuses the goods because of `cause`, the id of the hold that failed. If the goods are released, the release is revoked
        first."""
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
            holds=officer_holds,
            phrases=(why,),
        )
        again = isinstance(self.state, Refused) and self._more_than_stated(officer_holds)
        return (*facts, refused, *self.to_gate(phrase("refused_for"), why, refused=True, again=again))

    def reconsider(self, cause: str) -> RefusalRevoked:
        """Takes the refusal back, because its `cause` is no longer a failure."""
        why = phrase("failure_gone", hold=cause)
        return RefusalRevoked(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            reason=reason(why),
            phrases=(why,),
        )

    def withdraw(self, request_id: str, remark: str, terms: Terms) -> tuple[Fact, ...]:
        """Grants the request to withdraw the declaration, and refuses the other such requests. The gate desk gets a statement about
        every container, whether or not it knew the goods, so that the facts are the same whichever message was read first."""
        withdrawn = DeclarationWithdrawn(
            consignment_id=self.consignment,
            occurred_at=self.at,
            version=self.version,
            request_id=shown(request_id, 200),
            reason=shown(remark, breaks=True),
        )
        sent_back = self.send_back(RefusalCode.ALREADY_WITHDRAWN, phrase("withdrawn_already"), but=request_id)
        arrived, boxes = arrived_since(self.dossier), containers(self.dossier)
        freed = [
            self._freed(terms, box, arrived, released=False, never=self._never_came(box, arrived)) for box in boxes
        ]
        return (withdrawn, *sent_back, *freed)

    def send_back(self, code: RefusalCode, why: Phrase, but: str = "") -> tuple[Fact, ...]:
        """Refuses each request to withdraw the declaration, except the request `but`."""
        wishes = [w.request_id for w in self.dossier.withdrawals if w.request_id != but]
        return tuple([refused(self.consignment, wish, code, why, self.at) for wish in wishes])

    def _revoked(self, why: Phrase) -> ReleaseRevoked:
        """Returns the revocation of the release. It names the containers that were released. If the state does not list them, it
        names all containers of the goods."""
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
        """Returns statements to the gate desk if the published statement about the goods stays the same. The gate desk
        may lack that statement for a container into which the goods have gone, or come back, since it was published. If
        the gate desk has an earlier statement about such a container, it accepts another one only with a new version;
        otherwise the version stays the same."""
        released, known_to_gate = isinstance(self.state, Released), gate_statements(self.state)
        again = self.to_gate(phrase("not_released"), holds=holds, released=released)
        if any(fact.key in known_to_gate for fact in again):
            return again
        self.version = self.state.version
        return self.to_gate(phrase("not_released"), holds=holds, released=released) if again else ()

    def released_still(self, numbers: tuple[str, ...], version: int) -> tuple[Fact, ...]:
        """States to the gate desk once more that the goods in these containers may go, with the times of their arrivals. Containers
        that are not released, or have left, are left out."""
        terms, arrived, at_gate, left = (
            self.dossier.terms,
            arrived_since(self.dossier),
            gate_statements(self.state),
            left_released(self.dossier),
        )
        if terms is None:
            return ()
        self.version = version
        boxes = [box for box in containers(self.dossier) if box.container_no in numbers]
        boxes = [box for box in boxes if at_gate.get(box.container_no) == "freed" and box.container_no not in left]
        return tuple([self._freed(terms, box, arrived, released=True) for box in boxes])

    def to_gate(
        self,
        *why: Phrase,
        holds: tuple[Hold, ...] = (),
        released: bool = False,
        refused: bool = False,
        again: bool = False,
    ) -> tuple[Fact, ...]:
        """Returns the statements that the gate desk does not have yet, one fact per container. `released`: whether each
        container in which the goods have arrived may go. `again`: whether statements that the gate desk has already are
        repeated, too. This is so if the goods have a new hold, because an officer who permitted them to leave did not
        know of it.

        If a container left with its goods released, it needs no statement while every hold is for goods that have not arrived, for goods
        that left unreleased, or for a lapsed release of other goods.
        """
        terms = self.dossier.terms
        if terms is None:
            return ()
        known_to_gate, arrived = gate_statements(self.state), arrived_since(self.dossier)
        spared: frozenset[str] = frozenset()
        if self.dossier.departures and not refused and all(_is_of_the_way(h) or is_of_lapse(h.hold_id) for h in holds):
            spared = left_released(self.dossier)
        facts: list[Fact] = []
        for box in containers(self.dossier):
            number = box.container_no
            want = gate_statement(released=released and number in arrived, refused=refused, here=number in arrived)
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
                    arrival_retracted=self._never_came(box, arrived),
                    phrases=why,
                )
            )
        known_boxes = {box.container_no for box in containers(self.dossier)}
        for number, known in known_to_gate.items():
            if number not in known_boxes and known != "not in it":
                # the goods were thought to be in this container, but the stripping into it was taken back
                facts.append(self._freed(terms, Bound(number, 1), arrived, released=False, never=True))
        return tuple(facts)

    def _never_came(self, box: Bound, arrived: dict[str, datetime]) -> bool:
        """Returns whether an arrival of the goods in this container was reported and turned out to be wrong."""
        return arrival_was_wrong(self.dossier, box.container_no) and box.container_no not in arrived

    def _freed(
        self, terms: Terms, box: Bound, arrived: dict[str, datetime], released: bool, never: bool = False
    ) -> ContainerFreed:
        """Returns the statement that the goods in this container are released or, if `released` is False, that none of the goods are in it.
        `never`: whether an earlier statement about their arrival in it was wrong."""
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
            arrival_retracted=never,
        )

    def _source(self, number: str) -> str:
        """Returns the container from which the goods were moved into this one; empty if they came in this one."""
        return self.came_from[number].source if number in self.came_from else ""


def _is_of_the_way(hold: Hold) -> bool:
    """Returns whether the hold is for goods that have not arrived, or have left without release. The gate desk knows this
    itself."""
    return hold.hold_id == ARRIVAL or is_of_departure(hold.hold_id)


def refused(
    consignment: str, request_id: str, code: RefusalCode, why: Phrase, at: datetime, of: str = WithdrawDeclaration.kind
) -> RequestRefused:
    """Returns the refusal of an earlier request, of which only the id and the kind (`of`) are known."""
    return refusal_of(consignment, shown(request_id, 200), of, at, code, why)
