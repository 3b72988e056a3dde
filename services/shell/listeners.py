"""Which users' programs listen on a port of this machine? This must be known before a password is sent unencrypted,
because the password may go only to programs of certain users."""

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
"""The kernel's tables of sockets (Linux, proc_net_tcp.rst); other systems have none."""
_LISTENING = "0A"
_LOCAL, _STATE, _USER = 1, 3, 7
"""Columns of these tables."""


def listeners(port: int) -> frozenset[int] | None:
    """Returns the ids of the users whose programs listen on this port of the loopback; an empty set if there are none, None if the
    system has no such table."""
    found = [table.read_text().splitlines()[1:] for table in TABLES if table.exists()]
    if not found:
        return None
    return frozenset([user for lines in found for user in _users(lines, port)])


def is_loopback(host: str) -> bool:
    """Returns whether a client that connects to this host reaches the loopback of its machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


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
    address = IPv4Address(groups[0]) if len(groups) == 1 else IPv6Address(b"".join(groups))
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified
