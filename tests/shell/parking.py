"""How are turns tested without a broker? The parked topic and the original messages are in
memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.parking import Origin
from schemas.topics import ROLES
from services.shell.codec import Raw
from services.shell.outcome import Output
from services.shell.parking import Stretch


@dataclass
class Memory:
    """The messages of a cluster. `stretch`: the most messages that one read returns."""

    stretch: int = 2000
    parked: dict[int, list[Raw]] = field(default_factory=dict)
    origins: dict[Origin, Raw] = field(default_factory=dict)
    reads: int = 0

    def end(self, partition: int) -> int:
        return len(self.parked.get(partition, ()))

    def read(self, partition: int, start: int) -> Stretch:
        self.reads += 1
        lies = self.parked.get(partition, [])
        end = min(start + self.stretch, len(lies))
        return Stretch(lies[start:end], end, end == len(lies))

    def message_at(self, origin: Origin) -> Raw | None:
        if ROLES.get(origin.topic) == "parked":
            lies = self.parked.get(origin.partition, [])
            return lies[origin.offset] if origin.offset < len(lies) else None
        return self.origins.get(origin)

    def lay(self, *messages: Raw) -> None:
        """Stores these messages at their positions."""
        self.origins |= {Origin(m.topic, m.partition, m.offset): m for m in messages}

    def commit(self, outputs: Iterable[Output]) -> None:
        """Stores the parked messages among these outputs in the parked topic."""
        for output in outputs:
            if ROLES[output.topic] == "parked":
                assert output.partition is not None
                lies = self.parked.setdefault(output.partition, [])
                lies.append(
                    Raw(
                        output.topic,
                        output.partition,
                        len(lies),
                        output.key.encode(),
                        output.value,
                        dict(output.headers),
                    )
                )
