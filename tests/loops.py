"""How does a test that is no coroutine wait for one?"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def finish(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns. It runs in a thread of its own, because Playwright leaves a running event loop in the main thread,
    in which `asyncio.run` refuses to work for every test that comes after a browser's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
