"""Misbehaviour on request: every kind, on a plain client."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
import requests

from tests.fakes.faults import INSTEAD, KINDS
from tests.fakes_tests.api import JOE, Api


def outcome(api: Api, kind: str, **more: Any) -> Any:
    """What a client sees when it adds Joe: a status, "no json", or the name of an exception."""
    api.control("faults", {"kinds": [kind], "timeout_s": 0.3, "drip_s": 0.01, **more})
    body = {"email_address": JOE, "status": "subscribed"}
    try:
        answer = requests.post(
            api.base + api.members, json=body, headers=api.session.headers, timeout=0.2, allow_redirects=False
        )
        if answer.status_code == 200:
            try:
                answer.json()
            except ValueError:
                return "no json"
        return answer.status_code
    except requests.RequestException as error:
        return type(error).__name__


SEEN: dict[str, tuple[Any, ...]] = {
    "200_empty": ("no json",),
    "200_html": ("no json",),
    "401": (401,),
    "403_empty": (403,),
    "403_html": (403,),
    "429": (429,),
    "429_empty": (429,),
    "500": (500,),
    "502_html": (502,),
    "503_html": (503,),
    "timeout": ("ReadTimeout",),
    "cut": ("ConnectionError",),
    "redirect": (302,),
    "500_applied": (500,),
    "empty_applied": ("no json",),
    "invalid_json": ("no json",),
    "cut_body": ("ChunkedEncodingError", "ConnectionError"),
    "slow_body": ("ChunkedEncodingError", "ConnectionError"),
    "stall": ("ConnectionError", "ReadTimeout"),
    "wrong_charset": (200, "no json"),
    "done_unanswered": ("ConnectionError",),
}


@pytest.mark.parametrize("kind", SEEN)
def test_each_fault_is_seen_and_applied_or_not_as_promised(api: Api, kind: str) -> None:
    assert outcome(api, kind) in SEEN[kind]
    api.control("faults", {})
    applied = api.call("GET", api.member(JOE)).status_code == 200
    assert applied is (kind not in INSTEAD)
    assert api.sandbox.calls.since()[0]["fault"] == kind


def test_every_kind_is_tried_above() -> None:
    assert set(SEEN) == set(KINDS) - {"gzip_bomb"}


def test_a_gzip_bomb_is_small_on_the_wire(api: Api) -> None:
    api.control("faults", {"kinds": ["gzip_bomb"]})
    answer = api.session.get(api.base + "/ping", stream=True, timeout=20)
    assert answer.headers["Content-Encoding"] == "gzip" and int(answer.headers["Content-Length"]) < 1_000_000
    answer.close()


def test_retry_after_is_sent_only_when_asked_for(api: Api) -> None:
    api.control("faults", {"kinds": ["429"]})
    assert "Retry-After" not in api.call("GET", "/ping").headers
    api.control("faults", {"kinds": ["429"], "retry_after": 2})
    answer = api.call("GET", "/ping")
    assert answer.headers["Retry-After"] == "2" and answer.json()["title"] == "Too Many Requests"


def test_a_share_of_calls_fails_the_same_way_for_the_same_seed(api: Api) -> None:
    def storm() -> list[int]:
        api.control("faults", {"share": 0.3, "kinds": ["500", "502_html"], "seed": 1})
        return [api.call("GET", "/ping").status_code for _ in range(100)]

    first = storm()
    assert first == storm()
    assert 15 < Counter(first)[500] + Counter(first)[502] < 45


def test_latency_path_method_and_limit_narrow_it(api: Api) -> None:
    api.control("faults", {"latency_ms": 80})
    started = time.perf_counter()
    assert api.call("GET", "/ping").status_code == 200
    assert time.perf_counter() - started > 0.08
    api.control("faults", {"kinds": ["500"], "path": "members", "methods": ["GET"], "limit": 1})
    assert api.call("GET", "/ping").status_code == 200
    assert [api.call("GET", api.members).status_code for _ in range(2)] == [500, 200]


def test_control_and_pages_never_fail(api: Api) -> None:
    api.control("faults", {"kinds": ["500"]})
    assert requests.get(api.sandbox.url, timeout=20).status_code == 200
    assert api.control("state")["accounts"]


def test_an_unknown_kind_is_named(api: Api) -> None:
    url = f"{api.sandbox.url}/_sandbox/faults"
    answer = requests.post(url, json={"kinds": ["earthquake"]}, timeout=20)
    assert answer.status_code == 400 and "earthquake" in answer.json()["error"]


def test_reset_brings_everything_back(api: Api) -> None:
    api.add()
    api.control("options", {"put_takes_tags": True})
    api.control("faults", {"kinds": ["500"]})
    api.control("reset", {})
    assert api.call("GET", api.member(JOE)).status_code == 404
    assert api.control("options")["put_takes_tags"] is False
    assert [each["path"] for each in api.control("calls")] == ["/us21/3.0" + api.member(JOE)]
