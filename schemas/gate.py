"""May this container leave the port?"""

from typing import Annotated

from schemas.bounds import LINE, WhenMade
from schemas.envelope import AboutConsignment, AboutContainer, Fact, Request
from schemas.vocabulary import ContainerName, Label, Reason, Version

OneConsignment = Annotated[str, WhenMade(max_length=36, pattern=LINE)]
Consignments = Annotated[tuple[OneConsignment, ...], WhenMade(max_length=10_000)]


class RecordGateOut(AboutContainer, Request):
    """A terminal reports that the container passed the gate `gate`, outbound. A number without the form of one is refused."""

    gate: Label


class ContainerMayLeave(AboutContainer, Fact):
    """Every consignment in the container is released. `version` counts the gate's statements on this container."""

    version: Version
    consignments: Consignments


class ContainerMustStay(AboutContainer, Fact):
    """A container that might leave may no longer; `waiting_for` are the consignments that keep it."""

    version: Version
    waiting_for: Consignments
    reason: Reason


class ContainerGatedOut(AboutContainer, Fact):
    """The container left the port, with every consignment released."""

    gate: Label
    consignments: Consignments


class GateAlarmRaised(AboutContainer, Fact):
    """GATE_MISMATCH: the container left without release. `waiting_for` are the consignments that should have kept it."""

    gate: Label
    waiting_for: Consignments
    reason: Reason


class ConsignmentGatedOut(AboutConsignment, Fact):
    """A container of this consignment left the port; said under the consignment's key, for its timeline."""

    container_no: ContainerName
    released: bool
