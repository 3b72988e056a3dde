"""How are keys, secrets and passwords made that nobody can guess? They are made from the random bytes of the
operating system."""

import base64
import os

LEGIBLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""The characters of a password. Characters that look alike are not among them."""


def fresh_key() -> str:
    """Returns an idempotency key that no other request has: 32 hexadecimal digits."""
    return os.urandom(16).hex()


def fresh_secret() -> str:
    """Returns a secret of 256 bits as 43 characters of URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()


def fresh_password() -> str:
    """Returns a password of 99 bits that can be read aloud and typed: five groups of four characters."""
    number, signs = int.from_bytes(os.urandom(32)), list[str]()
    for _ in range(20):
        number, index = divmod(number, len(LEGIBLE))
        signs.append(LEGIBLE[index])
    return "-".join(["".join(signs[start : start + 4]) for start in range(0, 20, 4)])
