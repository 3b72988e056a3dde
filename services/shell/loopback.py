"""How is a page of a process on this machine requested? The request does not use the proxy of the environment (http_proxy, all_proxy),
because a proxy cannot reach the loopback address of this machine."""

import ipaddress
import urllib.parse
import urllib.request
from http.client import HTTPResponse
from typing import cast

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_loopback(url: str) -> bool:
    """Returns whether the host of this URL is a loopback address, or a name of one."""
    try:
        host = urllib.parse.urlsplit(url).hostname or ""
    except ValueError:  # the text is not a valid URL
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # the host is a name, not an address
        return host == "localhost" or host.endswith(".localhost")


def open_page(url: str, timeout_seconds: float) -> HTTPResponse:
    """Requests one of our own pages on the loopback address, and returns the answer. Raises ValueError if `url` has another host, and
    urllib's HTTPError for an error status."""
    if not is_loopback(url):
        raise ValueError(f"{url} is not on loopback")
    return cast(HTTPResponse, _direct.open(url, timeout=timeout_seconds))
