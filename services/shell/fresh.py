"""What names a request whose sender gave it no name? Bytes of the operating system: nobody can foresee or repeat them."""

import os


def fresh_key() -> str:
    """An idempotency key that no other request has: 32 hexadecimal digits."""
    return os.urandom(16).hex()
