"""How does a test that is not a coroutine wait for a coroutine?"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Runs the coroutine in a thread of its own, and returns its result. Playwright leaves a running event loop in the
    main thread; after a test with a browser, `asyncio.run` would refuse to work there."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
