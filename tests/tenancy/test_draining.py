"""A call that is refused with its body unread does no harm to the next one on the same connection (A9, O1, T9)."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.conf import settings

from contacts.api.draining import MOST, is_endless

PLACES = ["/api/v2/people", "/api/video/v1/tasks", "/donors/river-trust", "/hooks/nowhere/"]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    """The web server as README starts it; what is asked here needs no database."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        host, port = held.getsockname()
    command = ["-m", "gunicorn", "config.wsgi", "--threads", "2", "--no-control-socket", "--bind", f"{host}:{port}"]
    process = subprocess.Popen(
        [sys.executable, *command], cwd=settings.BASE_DIR, env=os.environ | {"MODE": "test"}, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection((host, port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < until, "gunicorn did not start"
                time.sleep(0.1)
        yield host, port
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.once
def test_T9_the_next_call_on_the_connection_is_answered_after_a_body_that_was_refused(server: tuple[str, int]) -> None:
    connection = http.client.HTTPConnection(*server, timeout=20)
    connection.connect()
    first = connection.sock
    for place in PLACES:
        connection.request("POST", place, b"x" * (MOST - 1000), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status >= 400
        connection.request("GET", "/api/v2/")
        answer = connection.getresponse()
        assert b"motd" in answer.read()
        assert connection.sock is first, place


@pytest.mark.once
@pytest.mark.parametrize("header", [("Content-Length", str(MOST + 1)), ("Transfer-Encoding", "chunked")])
def test_T9_of_a_body_without_end_the_answer_says_that_the_connection_ends(
    server: tuple[str, int], header: tuple[str, str]
) -> None:
    connection = http.client.HTTPConnection(*server, timeout=20)
    connection.putrequest("POST", "/api/v2/people")
    connection.putheader(*header)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status >= 400
    assert answer.getheader("Connection") == "close"


@pytest.mark.parametrize(
    "length, encoding, ends",
    [("", "", False), (str(MOST), "", False), (str(MOST + 1), "", True), ("9" * 5000, "", True), ("", "chunked", True)],
)
def test_T9_what_is_read_to_its_end(length: str, encoding: str, ends: bool) -> None:
    assert is_endless(length, encoding) is ends
