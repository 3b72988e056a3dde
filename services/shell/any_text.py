"""How does a Python client read a header whose name is not UTF-8? It replaces the bytes that are not UTF-8 by escapes,
instead of raising an error.

Header names are bytes in Kafka's protocol, and a broker accepts any bytes. kafka-python and aiokafka decode the names
strictly, in a method that has the same name in each of the two libraries (`_read_msg`).
"""

from typing import Any


class AnyText(bytearray):
    """A buffer whose slices can be decoded without an error: bytes that are not UTF-8 become escapes."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return AnyText(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


def any_names(batch: type[Any]) -> type[Any]:
    """Returns a subclass of `batch`, which is a client's class for batches of messages. The subclass also reads header
    names that are not UTF-8. Only a message with such a name is decoded a second time."""

    class AnyNames(batch):  # type: ignore[misc]
        def _read_msg(self, *args: Any) -> Any:
            try:
                return super()._read_msg(*args)
            except UnicodeDecodeError:
                self._buffer: bytearray = AnyText(self._buffer)
                return super()._read_msg(*args)

    return AnyNames
