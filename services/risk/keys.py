"""With which secret is the inspection draw made, and from which day on? The functions are pure: they get the keys as
arguments."""

import hmac
import json
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

SECRET_BYTES = 32
"""The least length of a secret in bytes. It is the length of a SHA-256 digest (RFC 2104, section 3)."""
FILE_NAME = "draw-keys.json"
"""The name of the file with the keys of an installation. It is in DTG_HOME unless DTG_DRAW_KEYS names another file."""
PUBLISHED_ID = "published"
"""The id of the key that everybody knows."""
_FINGERPRINT = b"inspection-draw/key-id"


def key_file(named: str | None, home: str) -> Path:
    """Returns the path of the file with the keys of an installation: the one that DTG_DRAW_KEYS names, or else the one
    in its DTG_HOME."""
    return Path(named or Path(home) / FILE_NAME)


class NotDrawKeys(ValueError):
    """Raised if a text is not a valid key file. The message says what is wrong, in Chinese and English, and contains no
    part of the text."""


@dataclass(frozen=True, slots=True)
class DrawKey:
    """A secret of the draw. It is in force from `effective_from` (a day in China) until the day of the next key.

    Every draw that was made with it names its `key_id`. `secret` is never shown, neither by `repr` nor in an error.
    """

    key_id: str
    effective_from: date
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DrawKeys:
    """The keys of an installation, the oldest first. There is at least one."""

    keys: tuple[DrawKey, ...]

    def in_force(self, day: date) -> DrawKey:
        """Returns the newest key whose `effective_from` is not after this day. Before the day of the first key, returns
        the first key."""
        due = [key for key in self.keys if key.effective_from <= day]
        return due[-1] if due else self.keys[0]

    def named(self, key_id: str) -> DrawKey | None:
        """Returns the key with this id; None if it is not one of these keys."""
        return next((key for key in self.keys if key.key_id == key_id), None)


PUBLISHED = DrawKeys((DrawKey(PUBLISHED_ID, date(2018, 1, 1), sha256(b"Datongguan: the published draw key").digest()),))
"""The key of demos, tests and benchmarks, so that their draws are the same everywhere. Everybody can foresee these
draws, so a worker with the system's clock refuses to start with this key."""


def new_key(secret: bytes, effective_from: date) -> DrawKey:
    """Returns a key with this secret. Its id consists of its first day and a fingerprint of the secret, which does not
    reveal the secret."""
    fingerprint = hmac.digest(secret, _FINGERPRINT, "sha256").hex()[:16]
    return DrawKey(f"{effective_from}-{fingerprint}", effective_from, secret)


def written(keys: DrawKeys) -> str:
    """Returns the text of a key file: JSON, with the secrets in hexadecimal."""
    rows = [
        {"key_id": key.key_id, "effective_from": str(key.effective_from), "secret": key.secret.hex()}
        for key in keys.keys
    ]
    return json.dumps({"keys": rows}, indent=2) + "\n"


def read(text: str) -> DrawKeys:
    """Returns the keys in the text of a key file. Raises NotDrawKeys if the text is not a valid key file, for example
    because it has the published key or a secret that is too short."""
    try:
        rows = json.loads(text)["keys"]
        keys = tuple(sorted([_row(row) for row in rows], key=lambda key: key.effective_from))
    except NotDrawKeys:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # the error is raised without its cause, because the text of the cause would show what was read
        raise NotDrawKeys(
            'is no {"keys": [{"key_id", "effective_from", "secret"}, …]} in JSON 不是抽查密钥文件'
        ) from None
    if not keys:
        raise NotDrawKeys("holds no key 文件中没有密钥")
    if len({key.effective_from for key in keys}) < len(keys):
        raise NotDrawKeys("holds two keys from the same day on 有两把同日生效的密钥")
    return DrawKeys(keys)


def _row(row: Any) -> DrawKey:
    key = new_key(bytes.fromhex(row["secret"]), date.fromisoformat(row["effective_from"]))
    if len(key.secret) < SECRET_BYTES:
        raise NotDrawKeys(f"holds a secret of fewer than {SECRET_BYTES} bytes 密钥过短")
    if key.secret == PUBLISHED.keys[0].secret:
        raise NotDrawKeys("holds the published key, with which everybody can foresee the draw 含有公开密钥")
    if row["key_id"] != key.key_id:
        raise NotDrawKeys("holds a secret that is not the one of its key id 密钥与编号不符")
    return key
