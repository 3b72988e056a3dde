"""Bytes of a message that are text in any case: what is no UTF-8 is shown with escapes, so that it ends no reader."""

from typing import Any


class AnyText(bytearray):
    """A buffer whose slices decode without an error; for clients that decode header names strictly."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return AnyText(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")
