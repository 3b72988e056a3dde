"""Do open requests get DTG_STOP_SECONDS to end, also if that is a part of a second?"""

import asyncio
from threading import Event, Thread

import httpx2
import pytest
from fastapi import FastAPI

from deploy.kafka.broker import free_port
from services.console.main import Server, config_of
from services.console.settings import ConsoleSettings
from tests.loops import finish
from tests.waiting import wait


@pytest.mark.parametrize("stop_seconds", [0.99, 30.0])
def test_an_open_request_gets_its_answer_if_it_ends_in_time(stop_seconds: float) -> None:
    settings, app = ConsoleSettings(console_port=free_port(), stop_seconds=stop_seconds), FastAPI()
    begun, stopping = Event(), Event()

    @app.get("/slow")
    async def slow() -> str:
        begun.set()
        await asyncio.to_thread(stopping.wait, 60)
        return "done"

    server = Server(config_of(settings, app), app)
    running = Thread(target=lambda: finish(server.serve()), daemon=True)
    running.start()
    wait(lambda: server.started, "the server to start")
    answers: list[httpx2.Response] = []
    address = f"http://127.0.0.1:{settings.console_port}/slow"
    asking = Thread(target=lambda: answers.append(httpx2.get(address, timeout=60, trust_env=False)), daemon=True)
    asking.start()
    assert begun.wait(60)
    server.stop()
    stopping.set()
    asking.join(60)
    running.join(60)
    assert [answer.text for answer in answers] == ['"done"']


def test_a_request_that_does_not_end_is_given_up_after_the_time() -> None:
    config = config_of(ConsoleSettings(stop_seconds=0.25), FastAPI())
    assert config.timeout_graceful_shutdown == 0.25
