"""Connecting to the sandbox Constant Contact: sign in, Allow or Cancel, PKCE, tokens that end and rotate."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.fakes import ConstantContactSandbox
from tests.fakes_tests.constant_contact import CALLBACK, Api

BASIC = ("almoner-sandbox", "almoner-sandbox-secret")
PUBLIC = "almoner-sandbox-public"
VERIFIER = "a-verifier-that-is-long-enough-for-everybody-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
DAY = 86_400


def authorize(sandbox: ConstantContactSandbox, **change: str) -> requests.Response:
    asked = {
        "response_type": "code", "client_id": "almoner-sandbox", "redirect_uri": CALLBACK, "state": "s p&ce",
        "scope": "account_read contact_data offline_access",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    wanted = {name: value for name, value in {**asked, **change}.items() if value}
    return requests.get(f"{sandbox.login_url()}/authorize", params=wanted, allow_redirects=False, timeout=20)


def inputs(page: str) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: value.replace("&amp;", "&") for name, value in found}


def decide(sandbox: ConstantContactSandbox, decision: str = "allow", login: str = "river", **change: str) -> Any:
    """Sign in and press a button; what comes back in the query."""
    form = {**inputs(authorize(sandbox, **change).text), "login": login, "password": "sandbox"}
    page = requests.post(f"{sandbox.login_url()}/authorize", data=form, timeout=20).text
    pressed = {**inputs(page), "decision": decision}
    back = requests.post(f"{sandbox.login_url()}/allow", data=pressed, allow_redirects=False, timeout=20)
    assert back.status_code == 302 and back.headers["Location"].startswith(CALLBACK)
    return parse_qs(urlsplit(back.headers["Location"]).query)


def token(sandbox: ConstantContactSandbox, auth: Any = BASIC, **form: str) -> requests.Response:
    return requests.post(f"{sandbox.login_url()}/token", data=form, auth=auth, timeout=20)


def swap(sandbox: ConstantContactSandbox, code: str, auth: Any = BASIC, **change: str) -> requests.Response:
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": code, "code_verifier": VERIFIER}
    return token(sandbox, auth, **{**form, **change})


def refresh(sandbox: ConstantContactSandbox, value: str, auth: Any = BASIC, **more: str) -> requests.Response:
    return token(sandbox, auth, grant_type="refresh_token", refresh_token=value, **more)


def refused(answer: requests.Response, error: str, status: int = 400) -> bool:
    return (answer.status_code, answer.json()["error"]) == (status, error) and bool(answer.json()["error_description"])


def test_allow_leads_to_tokens_of_the_account_that_signed_in(cc_sandbox: ConstantContactSandbox) -> None:
    back = decide(cc_sandbox, login="harbor")
    assert back["state"] == ["s p&ce"]
    told = swap(cc_sandbox, back["code"][0]).json()
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 86_400)
    assert set(told["scope"].split()) == {"account_read", "contact_data", "offline_access"}
    api = Api(cc_sandbox)
    api.use(told["access_token"])
    who = api.get("/account/summary")
    assert (who["organization_name"], who["encoded_account_id"]) == ("Harbor Food Bank", "p07h4rb0rfood")
    assert "physical_address" not in who
    assert api.get("/account/summary", extra_fields="physical_address")["physical_address"]["city"] == "Seattle"


def test_item10_an_access_token_is_a_jwt_of_more_than_a_thousand_characters(
    cc_sandbox: ConstantContactSandbox,
) -> None:
    for login in ("river", "harbor"):
        access = cc_sandbox.grant(login)["access_token"]
        assert 1_000 <= len(access) <= 1_200
        head, claims, signature = access.split(".")
        assert head.startswith("eyJ") and claims.startswith("eyJ") and signature


def test_cancel_leads_back_with_access_denied(cc_sandbox: ConstantContactSandbox) -> None:
    assert decide(cc_sandbox, "cancel") == {"error": ["access_denied"], "state": ["s p&ce"]}


def test_a_wrong_password_asks_again_and_loses_nothing(cc_sandbox: ConstantContactSandbox) -> None:
    form = {**inputs(authorize(cc_sandbox).text), "login": "river", "password": "guess"}
    page = requests.post(f"{cc_sandbox.login_url()}/authorize", data=form, timeout=20).text
    assert "not right" in page and "guess" not in page
    assert inputs(page)["code_challenge"] == CHALLENGE


@pytest.mark.parametrize(
    "change", [{"redirect_uri": CALLBACK + "/"}, {"client_id": "someone-else"}, {"response_type": "token"}]
)
def test_an_unregistered_client_or_address_gets_an_error_page(
    cc_sandbox: ConstantContactSandbox, change: dict[str, str]
) -> None:
    page = authorize(cc_sandbox, **change)
    assert page.status_code == 400 and "This did not work" in page.text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "contact_data everything"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"client_id": PUBLIC, "code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
    ],
)
def test_a_wrong_question_is_told_to_the_app(
    cc_sandbox: ConstantContactSandbox, change: dict[str, str], error: str
) -> None:
    back = authorize(cc_sandbox, **change)
    assert back.status_code == 302
    assert parse_qs(urlsplit(back.headers["Location"]).query)["error"] == [error]


def test_a_code_works_once_and_for_five_minutes(cc_sandbox: ConstantContactSandbox) -> None:
    code = decide(cc_sandbox)["code"][0]
    assert swap(cc_sandbox, code).status_code == 200
    assert refused(swap(cc_sandbox, code), "invalid_grant")
    late, in_time = decide(cc_sandbox)["code"][0], decide(cc_sandbox)["code"][0]
    cc_sandbox.clock_ahead_s = 299
    assert swap(cc_sandbox, in_time).status_code == 200
    cc_sandbox.clock_ahead_s = 301
    assert refused(swap(cc_sandbox, late), "invalid_grant")


def test_a_public_client_needs_its_verifier_and_no_secret(cc_sandbox: ConstantContactSandbox) -> None:
    code = decide(cc_sandbox, client_id=PUBLIC)["code"][0]
    told = swap(cc_sandbox, code, None, client_id=PUBLIC)
    assert told.status_code == 200
    assert refresh(cc_sandbox, told.json()["refresh_token"], None, client_id=PUBLIC).status_code == 200


@pytest.mark.parametrize("verifier", ["", "another" * 8])
def test_a_wrong_verifier_is_refused_for_either_client(cc_sandbox: ConstantContactSandbox, verifier: str) -> None:
    code = decide(cc_sandbox)["code"][0]
    assert refused(swap(cc_sandbox, code, code_verifier=verifier), "invalid_grant")
    code = decide(cc_sandbox, client_id=PUBLIC)["code"][0]
    assert refused(swap(cc_sandbox, code, None, client_id=PUBLIC, code_verifier=verifier), "invalid_grant")


def test_a_confidential_client_may_do_without_pkce_but_not_without_its_secret(
    cc_sandbox: ConstantContactSandbox,
) -> None:
    code = decide(cc_sandbox, code_challenge="", code_challenge_method="")["code"][0]
    for auth in (None, ("almoner-sandbox", "wrong"), ("wrong", "almoner-sandbox-secret"), (PUBLIC, "")):
        assert refused(swap(cc_sandbox, code, auth, client_id="almoner-sandbox"), "invalid_client", 401)
    assert swap(cc_sandbox, code, code_verifier="").status_code == 200


def test_a_code_belongs_to_its_client_and_its_address(cc_sandbox: ConstantContactSandbox) -> None:
    code = decide(cc_sandbox)["code"][0]
    assert refused(swap(cc_sandbox, code, None, client_id=PUBLIC), "invalid_grant")
    code = decide(cc_sandbox)["code"][0]
    assert refused(swap(cc_sandbox, code, redirect_uri=CALLBACK + "x"), "invalid_grant")


def test_the_token_endpoint_wants_a_form_and_a_known_grant_type(cc_sandbox: ConstantContactSandbox) -> None:
    answer = requests.post(f"{cc_sandbox.login_url()}/token", json={}, auth=BASIC, timeout=20)
    assert refused(answer, "invalid_request")
    assert refused(token(cc_sandbox, grant_type="password"), "unsupported_grant_type")


def test_item10_an_access_token_ends_after_a_day_and_a_refresh_brings_another(
    cc_sandbox: ConstantContactSandbox, cc: Api
) -> None:
    held = cc_sandbox.grant()
    cc.use(held["access_token"])
    assert cc.call("GET", "/contact_lists").status_code == 200
    cc_sandbox.clock_ahead_s = DAY + 1
    answer = cc.call("GET", "/contact_lists")
    assert (answer.status_code, answer.json()) == (401, {"error_key": "unauthorized", "error_message": "Unauthorized"})
    cc.use(refresh(cc_sandbox, held["refresh_token"]).json()["access_token"])
    assert cc.call("GET", "/contact_lists").status_code == 200


def test_item10_rotating_each_refresh_kills_the_tokens_before_it(cc_sandbox: ConstantContactSandbox) -> None:
    first = cc_sandbox.grant()["refresh_token"]
    second = refresh(cc_sandbox, first).json()["refresh_token"]
    third = refresh(cc_sandbox, second).json()["refresh_token"]
    assert len({first, second, third}) == 3
    for dead in (first, second):
        assert refused(refresh(cc_sandbox, dead), "invalid_grant")
    assert refresh(cc_sandbox, third).status_code == 200


def test_item10_a_refresh_whose_answer_was_lost_has_spent_the_token(cc_sandbox: ConstantContactSandbox) -> None:
    held = cc_sandbox.grant()["refresh_token"]
    lost = {"kinds": ["done_unanswered"], "path": "oauth2/default/v1/token", "limit": 1}
    requests.post(f"{cc_sandbox.url}/_sandbox/faults", json=lost, timeout=20)
    with pytest.raises(requests.ConnectionError):
        refresh(cc_sandbox, held)
    assert refused(refresh(cc_sandbox, held), "invalid_grant")


def test_item10_long_lived_tokens_stay_the_same(cc_sandbox: ConstantContactSandbox) -> None:
    cc_sandbox.options.refresh_mode = "long-lived"
    held = cc_sandbox.grant()["refresh_token"]
    assert [refresh(cc_sandbox, held).json()["refresh_token"] for _ in range(3)] == [held] * 3


@pytest.mark.parametrize("mode", ["rotating", "long-lived"])
def test_item10_a_refresh_token_dies_after_180_days_unused(cc_sandbox: ConstantContactSandbox, mode: str) -> None:
    cc_sandbox.options.refresh_mode = mode
    used = cc_sandbox.grant()["refresh_token"]
    unused = cc_sandbox.grant()["refresh_token"]
    cc_sandbox.clock_ahead_s = 170 * DAY
    used = refresh(cc_sandbox, used).json()["refresh_token"]
    cc_sandbox.clock_ahead_s = 181 * DAY
    assert refused(refresh(cc_sandbox, unused), "invalid_grant")
    assert refresh(cc_sandbox, used).status_code == 200


def test_item10_reuse_may_kill_the_whole_connection(cc_sandbox: ConstantContactSandbox) -> None:
    cc_sandbox.options.reuse_kills_grant = True
    first = cc_sandbox.grant()["refresh_token"]
    second = refresh(cc_sandbox, first).json()["refresh_token"]
    assert refused(refresh(cc_sandbox, first), "invalid_grant")
    assert refused(refresh(cc_sandbox, second), "invalid_grant")


def test_a_refresh_token_belongs_to_its_client(cc_sandbox: ConstantContactSandbox) -> None:
    held = cc_sandbox.grant()["refresh_token"]
    assert refused(refresh(cc_sandbox, held, None, client_id=PUBLIC), "invalid_grant")
    assert refused(refresh(cc_sandbox, "made-up"), "invalid_grant")
    assert refresh(cc_sandbox, held).status_code == 200


def test_without_offline_access_there_is_no_refresh_token(cc_sandbox: ConstantContactSandbox) -> None:
    code = decide(cc_sandbox, scope="contact_data")["code"][0]
    assert "refresh_token" not in swap(cc_sandbox, code).json()


def test_the_account_holder_can_take_the_permission_back(cc_sandbox: ConstantContactSandbox, cc: Api) -> None:
    held = cc_sandbox.grant()
    cc.act("holder", "revoke")
    assert refused(refresh(cc_sandbox, held["refresh_token"]), "invalid_grant")
    assert cc.call("GET", "/contact_lists").status_code == 401


def test_tokens_that_end_early_can_be_refreshed(cc_sandbox: ConstantContactSandbox, cc: Api) -> None:
    held = cc_sandbox.grant()
    cc.act("holder", "expire_tokens")
    assert cc.call("GET", "/contact_lists").status_code == 401
    assert refresh(cc_sandbox, held["refresh_token"]).status_code == 200


def test_trouble_at_the_token_endpoint_is_no_invalid_grant(cc_sandbox: ConstantContactSandbox) -> None:
    held = cc_sandbox.grant()["refresh_token"]
    for kind in ("500", "503_html", "429"):
        wish = {"kinds": [kind], "path": "oauth2/default/v1/token", "limit": 1}
        requests.post(f"{cc_sandbox.url}/_sandbox/faults", json=wish, timeout=20)
        assert refresh(cc_sandbox, held).status_code == int(kind[:3])
    assert refresh(cc_sandbox, held).status_code == 200


def test_nothing_secret_is_logged_or_told(cc_sandbox: ConstantContactSandbox) -> None:
    code = decide(cc_sandbox)["code"][0]
    told = swap(cc_sandbox, code).json()
    seen = requests.get(f"{cc_sandbox.url}/_sandbox/calls", timeout=20).text
    state = requests.get(f"{cc_sandbox.url}/_sandbox/state", timeout=20).text
    for secret in (code, told["access_token"], told["refresh_token"], BASIC[1], VERIFIER):
        assert secret not in seen and secret not in state
