"""How does a test that is not a coroutine wait for one?"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Returns the result of the coroutine. It runs in a thread of its own, because Playwright leaves a running event loop in the
    main thread, in which `asyncio.run` refuses to work for every test that comes after a browser's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
