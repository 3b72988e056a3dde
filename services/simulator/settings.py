"""Which settings does the simulator read? Prefix DTG_."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SimulatorSettings(BaseSettings):
    """A border of simulated people on a cluster."""

    model_config = SettingsConfigDict(env_prefix="DTG_", extra="ignore")

    kafka: str = Field(
        "127.0.0.1:9092", description="bootstrap servers, host:port[,host:port], plaintext: no TLS, no SASL"
    )
    partitions: int = Field(
        8, ge=1, le=1000, description="partitions of every topic; fixed for the life of the cluster"
    )
