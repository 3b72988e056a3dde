"""At which hosts and ports are the bootstrap servers of a cluster? Only this file reads their list, so that our own checks reach the
same addresses as Kafka's clients."""

import re
from typing import NamedTuple

from services.shell.layout import CannotContinue

DEFAULT_PORT = 9092
"""The port that Kafka's clients use for a bootstrap server without a port."""
HIGHEST_PORT = 65_535
_SERVER = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::([0-9]{1,5}))?")


class NotServers(CannotContinue):
    """Raised if a text is no list of bootstrap servers. The text says which entry is wrong, in Chinese and English."""


class Address(NamedTuple):
    """Where one bootstrap server listens. `host`: a name or an address, an IPv6 address without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def addresses(servers: str) -> tuple[Address, ...]:
    """Returns the address of each bootstrap server. Raises NotServers if one of them cannot be read.

    `servers`: host:port[,host:port]; IPv6 addresses have brackets, and a server without a port has Kafka's default port.
    """
    found = []
    for each in servers.split(","):
        named = _SERVER.fullmatch(each.strip())
        port = int(named[3] or DEFAULT_PORT) if named else 0
        if named is None or not 1 <= port <= HIGHEST_PORT:
            raise NotServers(f"'{each}' is no host:port[,host:port], ports from 1 to {HIGHEST_PORT} 地址有误")
        found.append(Address(named[1] or named[2], port))
    return tuple(found)
