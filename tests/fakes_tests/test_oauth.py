"""Connecting: sign in, Allow or Cancel, code, token, metadata."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.fakes import MailchimpSandbox
from tests.fakes_tests.api import CALLBACK

CLIENT = {"client_id": "almoner-sandbox", "client_secret": "almoner-sandbox-secret"}


def authorize(sandbox: MailchimpSandbox, **change: str) -> requests.Response:
    asked = {"response_type": "code", "client_id": "almoner-sandbox", "redirect_uri": CALLBACK, "state": "s p&ce"}
    return requests.get(f"{sandbox.url}/oauth2/authorize", params={**asked, **change}, timeout=20)


def inputs(page: str) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: value.replace("&amp;", "&") for name, value in found}


def decide(sandbox: MailchimpSandbox, decision: str, login: str = "river", **change: str) -> dict[str, list[str]]:
    """Sign in and press a button; what comes back in the query."""
    form = {**inputs(authorize(sandbox, **change).text), "login": login, "password": "sandbox"}
    page = requests.post(f"{sandbox.url}/oauth2/authorize", data=form, timeout=20).text
    back = requests.post(
        f"{sandbox.url}/oauth2/allow",
        data={**inputs(page), "decision": decision},
        allow_redirects=False,
        timeout=20,
    )
    assert back.status_code == 302 and back.headers["Location"].startswith(CALLBACK)
    return parse_qs(urlsplit(back.headers["Location"]).query)


def swap(sandbox: MailchimpSandbox, code: str, **change: str) -> requests.Response:
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": code, **CLIENT, **change}
    return requests.post(f"{sandbox.url}/oauth2/token", data=form, timeout=20)


def test_allow_leads_to_a_token_that_works_where_the_metadata_says(sandbox: MailchimpSandbox) -> None:
    back = decide(sandbox, "allow", login="harbor")
    assert back["state"] == ["s p&ce"]
    token: dict[str, Any] = swap(sandbox, back["code"][0]).json()
    assert (token["expires_in"], token["scope"]) == (0, None)
    headers = {"Authorization": f"OAuth {token['access_token']}"}
    who = requests.get(f"{sandbox.url}/oauth2/metadata", headers=headers, timeout=20).json()
    assert (who["dc"], who["accountname"]) == ("us14", "Harbor Food Bank")
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    root = requests.get(f"{who['api_endpoint']}/3.0/", headers=bearer, timeout=20).json()
    assert root["account_name"] == "Harbor Food Bank"


def test_cancel_leads_back_with_access_denied(sandbox: MailchimpSandbox) -> None:
    assert decide(sandbox, "cancel") == {"error": ["access_denied"], "state": ["s p&ce"]}


def test_a_wrong_password_asks_again(sandbox: MailchimpSandbox) -> None:
    form = {**inputs(authorize(sandbox).text), "login": "river", "password": "guess"}
    page = requests.post(f"{sandbox.url}/oauth2/authorize", data=form, timeout=20).text
    assert "not right" in page and "guess" not in page


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK.replace("127.0.0.1", "localhost")},
        {"client_id": "someone-else"},
        {"response_type": "token"},
    ],
)
def test_an_unregistered_client_or_address_gets_an_error_page(
    sandbox: MailchimpSandbox, change: dict[str, str]
) -> None:
    page = authorize(sandbox, **change)
    assert page.status_code == 400 and "This did not work" in page.text


def test_a_code_works_once(sandbox: MailchimpSandbox) -> None:
    code = decide(sandbox, "allow")["code"][0]
    assert swap(sandbox, code).status_code == 200
    again = swap(sandbox, code)
    assert again.status_code == 400 and again.json()["error"] == "invalid_grant"


def test_a_code_lives_half_a_minute(sandbox: MailchimpSandbox) -> None:
    code = decide(sandbox, "allow")["code"][0]
    sandbox.clock_ahead_s = 31
    assert swap(sandbox, code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({"redirect_uri": "http://127.0.0.1:8000/other"}, 400, "invalid_grant"),
        ({"code": "made-up"}, 400, "invalid_grant"),
    ],
)
def test_a_wrong_swap_is_refused(sandbox: MailchimpSandbox, change: dict[str, str], status: int, error: str) -> None:
    answer = swap(sandbox, **{"code": decide(sandbox, "allow")["code"][0], **change})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_the_token_endpoint_wants_a_form(sandbox: MailchimpSandbox) -> None:
    answer = requests.post(f"{sandbox.url}/oauth2/token", json=CLIENT, timeout=20)
    assert answer.status_code == 400 and answer.json()["error"] == "invalid_request"


def test_metadata_answers_200_even_to_a_bad_token(sandbox: MailchimpSandbox) -> None:
    headers = {"Authorization": "OAuth nonsense"}
    answer = requests.get(f"{sandbox.url}/oauth2/metadata", headers=headers, timeout=20)
    assert answer.status_code == 200 and answer.json()["error"] == "invalid_token"


def test_the_call_log_holds_no_codes_and_no_tokens(sandbox: MailchimpSandbox) -> None:
    code = decide(sandbox, "allow")["code"][0]
    token = swap(sandbox, code).json()["access_token"]
    seen = requests.get(f"{sandbox.url}/_sandbox/calls", timeout=20).text
    state = requests.get(f"{sandbox.url}/_sandbox/state", timeout=20).text
    for secret in (code, token, CLIENT["client_secret"]):
        assert secret not in seen and secret not in state


def test_storms_leave_connecting_alone_unless_asked_to_hit_it(sandbox: MailchimpSandbox) -> None:
    control = f"{sandbox.url}/_sandbox/faults"
    requests.post(control, json={"kinds": ["500"]}, timeout=20)
    code = decide(sandbox, "allow")["code"][0]
    assert swap(sandbox, code).status_code == 200
    requests.post(control, json={"kinds": ["500"], "path": "oauth2/token"}, timeout=20)
    assert swap(sandbox, "any").status_code == 500


def test_a_redirect_address_can_be_registered_later(sandbox: MailchimpSandbox) -> None:
    late = "http://127.0.0.1:8999/late"
    assert authorize(sandbox, redirect_uri=late).status_code == 400
    requests.post(f"{sandbox.url}/_sandbox/redirects", json={"uri": late}, timeout=20)
    assert authorize(sandbox, redirect_uri=late).status_code == 200
