"""Is it impossible for a sender to choose the address from which its request seems to come? The console slows down
guesses of passwords from one address."""

from typing import Any

import pytest
from fastapi import Request

from services.console.api.bodies import client_of
from services.console.main import config_of
from services.console.settings import ConsoleSettings
from tests.loops import finish

SENT = ((b"x-forwarded-for", b"192.0.2.7"), (b"x-forwarded-proto", b"https"), (b"host", b"localhost:8080"))


def arrived(settings: ConsoleSettings, client: str) -> tuple[str, str]:
    """Returns the address and the scheme that a route sees, for a request with the headers `SENT` that comes from
    the address `client`."""
    clients: list[tuple[str, str]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        clients.append((scope["client"][0], scope["scheme"]))

    config = config_of(settings, application)
    config.load()
    scope = {"type": "http", "client": (client, 5000), "scheme": "http", "headers": list(SENT), "path": "/"}
    finish(config.loaded_app(scope, None, None))
    return clients[0]


def test_nobody_chooses_the_address_from_which_he_comes_nor_that_he_came_over_tls() -> None:
    for client in ("127.0.0.1", "::1", "198.51.100.1"):
        assert arrived(ConsoleSettings(), client) == (client, "http")


def test_the_proxies_that_are_named_are_believed_and_no_other() -> None:
    settings = ConsoleSettings(trusted_proxies="127.0.0.1, 10.0.0.0/8")
    assert arrived(settings, "127.0.0.1") == ("192.0.2.7", "https") == arrived(settings, "10.1.2.3")
    assert arrived(settings, "198.51.100.1") == ("198.51.100.1", "http")


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::1", "::1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("a socket: no address", "a socket: no address"),
    ],
)
def test_who_has_a_network_of_addresses_is_counted_as_one(address: str, counted: str) -> None:
    assert client_of(Request({"type": "http", "client": (address, 1)})) == counted
    assert client_of(Request({"type": "http"})) == ""
