"""What is answered at addresses that have a slash too many, and at the address of the API's document?"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.console.still import Still


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    running = Still(tmp_path_factory.mktemp("slashes"))
    yield running
    running.stop()


@pytest.mark.parametrize(
    "path", ["/livez/", "/livez%2F", "/sign-in/", "/api/v1/stages/", "/accounts/", "/docs/codes/..%2F", "/static"]
)
def test_no_answer_sends_a_browser_to_an_address_with_a_scheme(still: Still, path: str) -> None:
    """If the console does not trust its TLS proxy, it sees the scheme http. After a redirect to an http address, the
    browser would send a form again without encryption."""
    for method in ("GET", "POST"):
        found = still.get(path, method=method)
        assert (found.status_code, found.headers.get("location")) in {(404, None), (405, None)}


def test_the_document_of_the_api_is_written_once(still: Still) -> None:
    """The document is long and open to everybody. If the console wrote it for each request, repeated requests would
    occupy the console."""
    made, count = still.app.openapi, 0

    def counted() -> dict[str, Any]:
        nonlocal count
        count += 1
        return made()

    still.app.openapi = counted  # type: ignore[method-assign]
    answers = [still.get("/openapi.json", name="-") for _ in range(3)]
    assert [each.status_code for each in answers] == [200] * 3 and count == 1
    assert answers[0].json() == made()
