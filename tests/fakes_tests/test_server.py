"""The server under the sandboxes: connections that stay open, bodies in chunks, a quick end."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator

import requests

from tests.fakes import MailchimpSandbox, running
from tests.fakes.server import Server
from tests.fakes_tests.api import JOE, Api


def test_one_connection_serves_many_calls(api: Api) -> None:
    link = http.client.HTTPConnection(api.sandbox.url.removeprefix("http://"), timeout=20)
    headers = {"Authorization": f"Bearer {api.sandbox.account().api_key}"}
    link.connect()
    socket = link.sock
    for method, path in (("GET", "/3.0/ping"), ("DELETE", "/3.0/ping"), ("GET", "/3.0/lists/none"), ("GET", "/3.0/")):
        link.request(method, path, headers=headers)
        link.getresponse().read()
        assert link.sock is socket
    link.close()


def test_a_body_may_come_in_chunks(api: Api) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"email_address":"' + JOE.encode()
        yield b'","status":"subscribed"}'

    answer = api.session.post(api.base + api.members, data=chunks(), timeout=20)
    assert answer.json()["email_address"] == JOE
    assert api.get("/ping")


def test_stopping_does_not_wait_for_a_hanging_call() -> None:
    sandbox = MailchimpSandbox()
    server = Server(sandbox)
    server.start()
    key = sandbox.account().api_key
    requests.post(f"{sandbox.url}/_sandbox/faults", json={"kinds": ["timeout"], "timeout_s": 30}, timeout=20)
    ended = threading.Event()

    def hang() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        try:
            requests.get(f"{sandbox.url}/3.0/ping", headers=headers, timeout=20)
        except requests.ConnectionError:
            ended.set()

    threading.Thread(target=hang, daemon=True).start()
    time.sleep(0.2)
    started = time.perf_counter()
    server.stop()
    assert ended.wait(2) and time.perf_counter() - started < 2


def test_two_sandboxes_know_nothing_of_each_other(api: Api) -> None:
    with running(MailchimpSandbox()) as other:
        api.add()
        assert Api(other).call("GET", api.member(JOE)).status_code == 404
