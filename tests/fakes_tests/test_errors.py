"""The shape of answers and refusals, and who gets in at all."""

from __future__ import annotations

import base64
import threading
from collections import Counter

import pytest
import requests

from tests.fakes_tests.api import JOE, Api


def test_a_refusal_is_a_problem_document_with_its_request_id(api: Api) -> None:
    answer = api.call("GET", "/lists/nowhere")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert 'rel="describedBy"' in answer.headers["Link"]
    assert answer.json() == {
        "type": "https://mailchimp.com/developer/marketing/docs/errors/",
        "title": "Resource Not Found",
        "status": 404,
        "detail": "The requested resource could not be found.",
        "instance": answer.headers["X-Request-Id"],
    }


def test_good_answers_are_json_with_a_request_id_and_204_is_empty(api: Api) -> None:
    answer = api.call("GET", "/ping")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8" and answer.headers["X-Request-Id"]
    api.add()
    gone = api.delete(api.member(JOE))
    assert (gone.status_code, gone.content) == (204, b"") and gone.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("body", "title", "message"),
    [
        (b"{", "JSON Parse Exception", ""),
        (b"[]", "Invalid Resource", "Schema describes object, array found instead"),
        (b'{"email_address":null,"status":"subscribed"}', "Invalid Resource", "NULL found instead"),
        (b'{"email_address":"a@b.test","status":"archived"}', "Invalid Resource", "not one of the accepted values"),
        (b'{"email_address":"a@b.test"}', "Invalid Resource", "Required fields were not provided: status"),
        (b'{"email_address":"a@b.test","status":"subscribed","vip":"yes"}', "Invalid Resource", "describes boolean"),
        (b'{"email_address":"a@b.test","status":"subscribed","ip_opt":"x"}', "Invalid Resource", "IP address"),
        (b'{"email_address":"a@b.test","status":"subscribed","timestamp_opt":"x"}', "Invalid Resource", "date"),
        (b'{"email_address":"a@b.test","status":"subscribed","interests":{"a":true}}', "Invalid Resource", "interest"),
    ],
)
def test_a_misshapen_body_is_refused(api: Api, body: bytes, title: str, message: str) -> None:
    answer = api.session.post(api.base + api.members, data=body, timeout=20)
    assert answer.status_code == 400 and answer.json()["title"] == title
    assert message in answer.text


def test_keys_the_vendor_does_not_know_are_ignored(api: Api) -> None:
    assert api.post(api.members, {"email_address": JOE, "status": "subscribed", "colour": 1}).status_code == 200


def test_a_method_that_does_not_fit_is_refused_with_those_that_do(api: Api) -> None:
    answer = api.call("DELETE", "/ping")
    assert answer.status_code == 405 and answer.headers["Allow"] == "GET"


def test_an_error_can_be_asked_for(api: Api) -> None:
    for name, status in (("APIKeyMissing", 401), ("UserDisabled", 403), ("InternalServerError", 500), ("Nope", 400)):
        answer = api.session.get(api.base + "/ping", headers={"X-Trigger-Error": name}, timeout=20)
        assert answer.status_code == status


def test_a_method_can_be_overridden_but_only_with_a_known_one(api: Api) -> None:
    api.add()
    url = api.base + api.member(JOE)
    good = api.session.post(url, json={"vip": True}, headers={"X-HTTP-Method-Override": "PATCH"}, timeout=20)
    assert good.json()["vip"] is True
    bad = api.session.post(url, json={}, headers={"X-HTTP-Method-Override": "LEAP"}, timeout=20)
    assert bad.status_code == 422


def test_bearer_and_basic_are_equally_good(api: Api) -> None:
    key = api.sandbox.account().api_key
    basic = base64.b64encode(f"anyone:{key}".encode()).decode()
    for value in (f"Bearer {key}", f"Basic {basic}"):
        assert requests.get(api.base + "/ping", headers={"Authorization": value}, timeout=20).status_code == 200
    assert requests.get(api.base + "/ping", timeout=20).json()["title"] == "API Key Missing"


def test_a_good_token_at_the_wrong_data_centre_looks_like_a_bad_one(api: Api) -> None:
    url, token = api.sandbox.url, api.sandbox.grant()
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{url}/us21/3.0/", headers=headers, timeout=20).status_code == 200
    assert requests.get(f"{url}/3.0/", headers=headers, timeout=20).status_code == 200
    wrong = requests.get(f"{url}/us14/3.0/", headers=headers, timeout=20)
    assert wrong.status_code == 401 and wrong.json()["title"] == "API Key Invalid"
    api.control("options", {"unified_host": False})
    assert requests.get(f"{url}/3.0/", headers=headers, timeout=20).status_code == 401


def test_a_revoked_token_is_refused_from_then_on(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.sandbox.grant()}"}
    assert requests.get(api.base + "/ping", headers=headers, timeout=20).status_code == 200
    api.act("holder", "revoke")
    for path in ("/ping", "/lists", api.members):
        assert requests.get(api.base + path, headers=headers, timeout=20).json()["title"] == "API Key Invalid"


def test_a_disabled_account_is_refused(api: Api) -> None:
    api.act("holder", "set_account", disabled=True)
    assert api.call("GET", "/ping").json()["title"] == "User Disabled"


def test_the_eleventh_connection_at_a_time_is_refused(api: Api) -> None:
    api.control("faults", {"latency_ms": 400})
    statuses: Counter[int] = Counter()
    start = threading.Barrier(11)

    def ask() -> None:
        start.wait()
        headers = {"Authorization": f"Bearer {api.sandbox.account().api_key}"}
        statuses[requests.get(api.base + "/ping", headers=headers, timeout=20).status_code] += 1

    threads = [threading.Thread(target=ask) for _ in range(11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == {200: 10, 429: 1}
    assert Api(api.sandbox, "harbor").call("GET", "/ping").status_code == 200


def test_ten_workers_that_wait_for_their_answers_are_never_refused(api: Api) -> None:
    statuses: Counter[int] = Counter()

    def work() -> None:
        client = Api(api.sandbox)
        for _ in range(40):
            statuses[client.call("GET", "/ping").status_code] += 1

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == {200: 400}
