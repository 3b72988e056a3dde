"""Which settings does the simulator read from its environment? Their names begin with DTG_."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.shell.access import Access
from services.shell.settings import AccessSettings, Servers


class SimulatorSettings(AccessSettings):
    """The simulated people of a border, who use a cluster."""

    model_config = SettingsConfigDict(env_prefix="DTG_", extra="ignore")

    kafka: Servers = "127.0.0.1:9092"
    partitions: int = Field(
        8, ge=1, le=1000, description="number of partitions of every topic; it cannot be changed in a cluster"
    )

    def access(self, name: str = "simulator") -> Access:
        """Returns how to connect to the cluster with the credential of this name, by default that of simulated
        people."""
        return self.access_to(self.kafka, name)
