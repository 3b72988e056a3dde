"""Does a restore end before the consumer group takes the worker for lost?"""

import threading
from typing import Any

import pytest
from confluent_kafka import Message

from services.shell import restore as module
from services.shell.restore import LONGEST_SECONDS, Restoring, restore
from services.shell.settings import MAX_POLL_SECONDS, WorkerSettings

TOPIC = "customs-risk-state"


class EndlessReader:
    """Stands in for the client of a cluster that sends one message after the other, too slowly to reach the end."""

    def get_watermark_offsets(self, *_: Any, **__: Any) -> tuple[int, int]:
        return 0, 1_000_000

    def assign(self, _: Any) -> None:
        pass

    def consume(self, *_: Any) -> list[Any]:
        return [Message(topic=TOPIC, partition=0, offset=0, key=b"goods", value=b"{}")]

    def close(self) -> None:
        pass


def test_a_restore_that_takes_too_long_ends_with_a_sentence_although_messages_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the worker would lose its partitions at the end of the restore, and restore them again for ever."""
    monkeypatch.setattr(module, "desk_reader", lambda *_: EndlessReader())
    progress, stop = Restoring(), threading.Event()
    ending = threading.Timer(20, stop.set)
    ending.start()
    with pytest.raises(TimeoutError, match=r"of 1000000 messages were read within 1 s.*恢复超时.*more workers"):
        restore("risk", WorkerSettings(), TOPIC, [0], stop, progress, longest=1)
    ending.cancel()
    assert progress.read > 0


def test_a_restore_may_not_take_as_long_as_the_group_waits_for_a_poll() -> None:
    assert 0 < LONGEST_SECONDS < MAX_POLL_SECONDS
