"""Does a stream keep only the bytes that it sends, while its client reads them slowly?"""

import weakref
from pathlib import Path

from fastapi import Request

from services.console.api.feed import _events, _read
from services.console.readmodel.cursors import BEGINNING
from tests.console.border import green
from tests.console.still import Still
from tests.loops import finish


def test_a_stream_that_waits_for_its_client_has_let_the_entries_go(tmp_path: Path) -> None:
    still = Still(tmp_path)
    still.tell(green("MEMORY-1").messages)

    async def started() -> bool:
        context = still.app.state.context
        page = _read(context.rows, BEGINNING, 10)
        assert page.entries
        kept = weakref.ref(page)
        stream = _events(context, "0", context.bell.rung, page, Request({"type": "http"}, _nothing))
        del page
        assert (await anext(stream)).startswith(b"retry") and b"event: release" in await anext(stream)
        return kept() is not None

    assert not finish(started())
    still.stop()


async def _nothing() -> dict[str, str]:
    return {"type": "http.request"}
