"""Which users' programs listen on a port of this machine? This must be known before a password is sent unencrypted,
because the password may go only to programs of certain users."""

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
"""The kernel's tables of sockets (Linux, proc_net_tcp.rst); other systems have none."""
HOSTS = Path("/etc/hosts")
"""The system's table of host names; a machine may have none."""
_LISTENING = "0A"
_LOCAL, _STATE, _USER = 1, 3, 7
"""The numbers of columns in the tables `TABLES`, from 0."""


def listeners(port: int) -> frozenset[int] | None:
    """Returns the ids of the users whose programs listen on this port of the loopback; an empty set if there are none, None if the
    system has none of the tables `TABLES`."""
    found = [table.read_text().splitlines()[1:] for table in TABLES if table.exists()]
    if not found:
        return None
    return frozenset([user for lines in found for user in _users(lines, port)])


def reaches_loopback(host: str) -> bool:
    """Returns whether a client that connects to this host may reach the loopback of its machine. `host`: a name or an address, an IPv6
    address without brackets.

    A name counts if it is localhost, the name of this machine, or a name with a local address in HOSTS. No name server is asked, because
    its answer may take many seconds.
    """
    name = host.lower().removesuffix(".")
    if name in ("localhost", socket.gethostname().lower()) or name.endswith(".localhost"):
        return True
    try:
        # `inet_aton` also knows the short forms that clients accept, such as 127.1 and 0
        return _is_local(ip_address(host) if ":" in host else IPv4Address(socket.inet_aton(host)))
    except (OSError, ValueError):
        return any(name in names and _is_local(address) for address, names in _hosts())


def _hosts() -> Iterator[tuple[IPv4Address | IPv6Address, list[str]]]:
    """Yields each address in HOSTS and its names, in small letters. Lines that cannot be read are left out."""
    for line in HOSTS.read_text(encoding="utf-8", errors="replace").splitlines() if HOSTS.exists() else ():
        columns = line.partition("#")[0].lower().split()
        with suppress(ValueError, IndexError):
            yield ip_address(columns[0]), columns[1:]


def _users(lines: list[str], port: int) -> Iterator[int]:
    for line in lines:
        columns = line.split()
        address, _, at = columns[_LOCAL].partition(":")
        if columns[_STATE] == _LISTENING and int(at, 16) == port and _is_reached(address):
            yield int(columns[_USER])


def _is_reached(written: str) -> bool:
    """Returns whether a socket with this address gets the connections to the loopback. The address is in the kernel's form:
    hexadecimal words in the byte order of the machine."""
    groups = [struct.pack("=I", int(written[start : start + 8], 16)) for start in range(0, len(written), 8)]
    return _is_local(IPv4Address(groups[0]) if len(groups) == 1 else IPv6Address(b"".join(groups)))


def _is_local(address: IPv4Address | IPv6Address) -> bool:
    """Returns whether this is a loopback address, or the unspecified address: a socket that listens there gets the connections to the
    loopback, and a client that connects to it reaches the loopback."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified
