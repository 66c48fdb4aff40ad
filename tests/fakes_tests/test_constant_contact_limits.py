"""Limits and refusals of the sandbox Constant Contact: four a second, 10,000 a day, 401, 403 by cause, faults."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import requests

from tests.fakes import ConstantContactSandbox
from tests.fakes_tests.constant_contact import JOE, Api, errors

THROTTLED = {"error_key": "throttled", "error_message": "Too Many Requests"}
EXCEEDED = {"error_key": "quota_exceeded", "error_message": "Limit Exceeded"}


def test_item9_four_calls_a_second_over_all_accounts(cc_sandbox: ConstantContactSandbox, cc: Api) -> None:
    cc_sandbox.options.per_second = 4
    harbor = Api(cc_sandbox, "harbor")
    codes = [api.call("GET", "/contact_lists").status_code for api in (cc, harbor, cc, harbor, cc, harbor)]
    assert codes == [200, 200, 200, 200, 429, 429]
    answer = cc.call("GET", "/contact_lists")
    assert answer.json() == THROTTLED and "Retry-After" not in answer.headers
    cc_sandbox.clock_ahead_s = 1.1
    assert cc.call("GET", "/contact_lists").status_code == 200


def test_item9_the_day_is_one_for_all_accounts_and_ends_at_midnight_utc(
    cc_sandbox: ConstantContactSandbox, cc: Api
) -> None:
    assert cc_sandbox.options.per_day == 10_000
    harbor = Api(cc_sandbox, "harbor")
    # Late enough in a day of the sandbox's to reach midnight soon.
    now = datetime.now(UTC)
    cc_sandbox.clock_ahead_s = 86_400 - (now.hour * 3_600 + now.minute * 60 + now.second) - 60
    cc.act("holder", "spend_calls", calls=9_998)
    assert [api.call("GET", "/contact_lists").status_code for api in (cc, harbor, cc, harbor)] == [200, 200, 429, 429]
    answer = harbor.call("GET", "/contact_lists")
    assert answer.json() == EXCEEDED and "Retry-After" not in answer.headers
    assert cc.control("state?members=0")["calls_today"]["almoner-sandbox"] == 10_000
    cc_sandbox.clock_ahead_s += 120
    assert harbor.call("GET", "/contact_lists").status_code == 200
    assert cc.control("state?members=0")["calls_today"]["almoner-sandbox"] == 1


def test_item9_another_application_has_a_quota_of_its_own(cc_sandbox: ConstantContactSandbox, cc: Api) -> None:
    other = Api(cc_sandbox)
    other.use(cc_sandbox.grant("river", "almoner-sandbox-public")["access_token"])
    cc_sandbox.options.per_day = 2
    assert [cc.call("GET", "/contact_lists").status_code for _ in range(3)] == [200, 200, 429]
    assert other.call("GET", "/contact_lists").status_code == 200


def test_item9_both_limits_can_be_switched_off(cc_sandbox: ConstantContactSandbox, cc: Api) -> None:
    cc.control("options", {"per_second": 0, "per_day": 0})
    cc.act("holder", "spend_calls", calls=20_000)
    assert {cc.call("GET", "/contact_lists").status_code for _ in range(12)} == {200}


def test_connecting_and_control_addresses_cost_nothing(cc_sandbox: ConstantContactSandbox, cc: Api) -> None:
    cc_sandbox.options.per_day = 1
    before = cc_sandbox.quota.used_today("almoner-sandbox", cc_sandbox.now())
    requests.post(f"{cc_sandbox.login_url()}/token", data={}, timeout=20)
    cc.control("state")
    assert cc_sandbox.quota.used_today("almoner-sandbox", cc_sandbox.now()) == before == 0


@pytest.mark.parametrize("token", ["", "made-up"])
def test_item2_without_a_good_token_one_object_says_so(cc: Api, token: str) -> None:
    cc.use(token)
    answer = cc.call("GET", "/contact_lists")
    assert (answer.status_code, answer.json()) == (401, {"error_key": "unauthorized", "error_message": "Unauthorized"})


def test_item10_a_403_has_three_causes_and_the_privileges_tell_which(
    cc_sandbox: ConstantContactSandbox, cc: Api
) -> None:
    names = {each["privilege_name"] for each in cc.get("/account/user/privileges")}
    assert {"contacts:read", "contacts:write", "contacts:lists:read", "contacts:lists:write"} <= names

    cc.act("holder", "set_account", privileges=["contacts:read", "contacts:lists:read"])
    assert cc.call("GET", "/contacts").status_code == 200
    assert "contacts:write" in errors(cc.post("/contacts", {}), 403, "forbidden")
    assert "contacts:lists:write" in errors(cc.post("/contact_lists", {"name": "X"}), 403, "forbidden")
    assert "contacts:write" not in {each["privilege_name"] for each in cc.get("/account/user/privileges")}

    cc_sandbox.account().grants[0].scopes = ["account_read"]
    assert "scope" in errors(cc.call("GET", "/contacts"), 403, "forbidden")
    assert cc.call("GET", "/account/summary").status_code == 200

    cc_sandbox.options.application_deactivated = True
    assert "deactivated" in errors(cc.call("GET", "/account/user/privileges"), 403, "forbidden")


def test_bodies_have_the_right_type_and_are_json(cc: Api) -> None:
    url = f"{cc.sandbox.url}/v3/contact_lists"
    answer = cc.session.post(url, data="name=X", headers={"Content-Type": "text/plain"}, timeout=20)
    errors(answer, 415, "unsupported_media_type")
    answer = cc.session.post(url, data="{", headers={"Content-Type": "application/json"}, timeout=20)
    errors(answer, 400)


def test_unknown_addresses_ids_and_methods(cc: Api) -> None:
    errors(cc.call("GET", "/no_such_thing"), 404, "contacts.api.not_found")
    said = errors(cc.call("GET", "/contacts/nonsense"), 404, "contacts.api.not_found")
    assert said == "contact_id is in an invalid format."
    assert cc.call("PATCH", "/contacts").status_code == 405
    errors(cc.call("GET", "/contacts", segment_id="7"), 404, "contacts.api.not_found")
    errors(cc.call("GET", "/contacts", segment_id="7", status="all"), 400)
    errors(cc.call("GET", "/contacts", offset="10"), 400)


def test_faults_speak_this_vendors_language(cc: Api) -> None:
    cc.control("faults", {"kinds": ["429"], "retry_after": 7, "limit": 1})
    answer = cc.call("GET", "/contacts")
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (429, THROTTLED, "7")
    cc.control("faults", {"kinds": ["401"], "limit": 1})
    assert cc.call("GET", "/contacts").json()["error_key"] == "unauthorized"
    cc.control("faults", {"kinds": ["500"], "limit": 1})
    errors(cc.call("GET", "/contacts"), 500, "internal_server_error")
    cc.control("faults", {"kinds": ["done_unanswered"], "methods": ["POST"], "limit": 1})
    with pytest.raises(requests.ConnectionError):
        cc.add()
    assert cc.addresses(email=JOE) == [JOE], "the work was done"


def test_every_call_is_logged_with_its_account(cc: Api) -> None:
    cc.call("GET", "/contacts", status="all")
    last = cc.control("calls")[-1]
    assert (last["path"], last["account"], last["status"], last["query"]) == (
        "/v3/contacts",
        "river",
        200,
        "status=all",
    )
