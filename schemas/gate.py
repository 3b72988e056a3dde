"""May this container leave the port?"""

from schemas.envelope import AboutConsignment, AboutContainer, Fact, Request
from schemas.vocabulary import Reason


class RecordGateOut(AboutContainer, Request):
    """A terminal reports that the container passed the gate `gate`, outbound. ISO 6346 is strict here."""

    gate: str


class ContainerMayLeave(AboutContainer, Fact):
    """Every consignment in the container is released. `version` counts the gate's statements on this container."""

    version: int
    consignments: tuple[str, ...]


class ContainerMustStay(AboutContainer, Fact):
    """A container that might leave may no longer; `waiting_for` are the consignments that keep it."""

    version: int
    waiting_for: tuple[str, ...]
    reason: Reason


class ContainerGatedOut(AboutContainer, Fact):
    """The container left the port, with every consignment released."""

    gate: str
    consignments: tuple[str, ...]


class GateAlarmRaised(AboutContainer, Fact):
    """GATE_MISMATCH: the container left without release. `waiting_for` are the consignments that should have kept it."""

    gate: str
    waiting_for: tuple[str, ...]
    reason: Reason


class ConsignmentGatedOut(AboutConsignment, Fact):
    """A container of this consignment left the port; said under the consignment's key, for its timeline."""

    container_no: str
    released: bool
