"""Why can a header whose name is no UTF-8 end no reader that is written in Python? What is no text is shown with escapes.

Header names are bytes on the wire, and a broker takes any; kafka-python and aiokafka decode them strictly in the same method.
"""

from typing import Any


class AnyText(bytearray):
    """A buffer whose slices decode without an error."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return AnyText(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


def any_names(batch: type[Any]) -> type[Any]:
    """This client's class of a batch of messages, reading header names of any bytes; the second try costs only such messages."""

    class AnyNames(batch):  # type: ignore[misc]
        def _read_msg(self, *args: Any) -> Any:
            try:
                return super()._read_msg(*args)
            except UnicodeDecodeError:
                self._buffer: bytearray = AnyText(self._buffer)
                return super()._read_msg(*args)

    return AnyNames
