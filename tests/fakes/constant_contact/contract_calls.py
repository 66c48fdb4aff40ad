"""The calls of the contract check: what a sync asks of the vendor, good requests and refused ones."""

from __future__ import annotations

import time
from typing import Any, Protocol

JOE, ANN, BO = "joe@rivermail.test", "ann@rivermail.test", "bo@rivermail.test"
NOBODY = "11111111-2222-4333-8444-555555555555"
EVERY = "custom_fields,list_memberships,phone_numbers,street_addresses,taggings,notes"


class Checker(Protocol):
    """Makes a call and notes whether its answer was the expected one."""

    token: str

    def call(self, method: str, path: str, body: Any = None, expect: int = 200, **query: Any) -> Any: ...


def drive(check: Checker, list_id: str) -> None:
    """The calls a sync makes, good ones and refused ones."""
    the_account(check)
    gala = the_lists(check)
    joe = the_contacts(check, list_id, gala)
    the_reading(check, list_id)
    the_opt_outs(check, joe, list_id)
    the_bulk(check, joe, list_id, gala)
    the_refusals(check, joe, list_id)
    ended(check, check.call("DELETE", f"/contact_lists/{gala}", expect=202))


def the_account(check: Checker) -> None:
    check.call("GET", "/account/summary")
    check.call("GET", "/account/summary", extra_fields="physical_address")
    check.call("GET", "/account/user/privileges")
    check.call("POST", "/contact_custom_fields", {"label": "Member no", "type": "string"}, expect=201)
    check.call("GET", "/contact_custom_fields", limit=100)


def the_lists(check: Checker) -> str:
    gala = str(
        check.call("POST", "/contact_lists", {"name": "Gala", "description": "Spring"}, expect=201).get("list_id")
    )
    check.call("PUT", f"/contact_lists/{gala}", {"name": "Spring Gala", "favorite": True, "description": ""})
    check.call("GET", f"/contact_lists/{gala}", include_membership_count="all")
    check.call("GET", "/contact_lists", limit=1000, include_count="true", include_membership_count="active")
    check.call("GET", "/contact_lists", name="Spring Gala", status="active,deleted")
    return gala


def the_contacts(check: Checker, list_id: str, gala: str) -> str:
    body = {
        "email_address": {"address": JOE, "permission_to_send": "implicit"}, "first_name": "Joe", "last_name": "Door",
        "create_source": "Account", "list_memberships": [list_id], "job_title": "Baker", "company_name": "Acme",
        "birthday_month": 11, "birthday_day": 24, "anniversary": "2006-11-15",
        "phone_numbers": [{"phone_number": "503-555-0101", "kind": "home"}],
        "street_addresses": [{"kind": "home", "street": "1 Mill Lane", "city": "Portland", "country": "US"}],
    }  # fmt: skip
    joe = str(check.call("POST", "/contacts", body, expect=201).get("contact_id"))
    check.call("POST", "/contacts", body, expect=409)
    check.call("GET", f"/contacts/{joe}")
    held = check.call("GET", f"/contacts/{joe}", include=EVERY)
    check.call("PUT", f"/contacts/{joe}", {**held, "last_name": "Doors", "update_source": "Account"})
    email = {"address": "joe.doors@rivermail.test", "permission_to_send": "implicit"}
    change = {"email_address": email, "update_source": "Account", "list_memberships": [list_id, gala]}
    check.call("PUT", f"/contacts/{joe}", change)
    check.call("DELETE", f"/contacts/{joe}", expect=204)
    check.call("GET", f"/contacts/{joe}", include=EVERY)
    check.call("PUT", f"/contacts/{joe}", change)
    return joe


def the_reading(check: Checker, list_id: str) -> None:
    page = check.call("GET", "/contacts", limit=2, status="all", include="list_memberships")
    link = page.get("_links", {}).get("next", {}).get("href", "")
    check.call("GET", str(link).removeprefix("/v3"))
    check.call("GET", "/contacts", email=JOE, status="all", include=EVERY)
    since = "2026-01-01T00:00:00Z"
    check.call("GET", "/contacts", status="unsubscribed", optout_after=since, limit=500)
    check.call("GET", "/contacts", status="deleted", updated_after=since, include_count="true")
    check.call("GET", "/contacts", status="active,pending_confirmation", lists=list_id)
    check.call("GET", "/contacts/counts", include="new_subscriber")


def the_opt_outs(check: Checker, joe: str, list_id: str) -> None:
    def put(permission: str, source: str, expect: int = 200) -> None:
        email = {"address": "joe.doors@rivermail.test", "permission_to_send": permission}
        body = {"email_address": email, "update_source": source}
        check.call("PUT", f"/contacts/{joe}", body, expect=expect)

    put("unsubscribed", "Account")
    put("implicit", "Account")
    put("unsubscribed", "Contact")
    check.call("GET", f"/contacts/{joe}", include=EVERY)
    put("implicit", "Account", expect=400)
    check.call("PUT", f"/contacts/resubscribe/{joe}", {"list_ids": [list_id]})
    check.call("PUT", f"/contacts/resubscribe/{joe}", {"list_ids": [list_id]}, expect=409)
    form = {"email_address": ANN, "first_name": "Ann", "list_memberships": [list_id]}
    check.call("POST", "/contacts/sign_up_form", form, expect=201)
    check.call("POST", "/contacts/sign_up_form", form)


def the_bulk(check: Checker, joe: str, list_id: str, gala: str) -> None:
    rows = [{"email": BO, "first_name": "Bo"}, {"email": ANN, "last_name": "Other"}, {"email": "nonsense"}]
    kinds: dict[str, Any] = {
        "contacts_json_import": {"import_data": rows, "list_ids": [list_id, gala]},
        "add_list_memberships": {"source": {"contact_ids": [joe]}, "list_ids": [gala]},
        "remove_list_memberships": {"source": {"contact_ids": [joe]}, "list_ids": [gala, list_id]},
        "contact_delete": {"contact_ids": [joe]},
    }
    for kind, body in kinds.items():
        ended(check, check.call("POST", f"/activities/{kind}", body, expect=201))
    extra = check.call("POST", "/contact_lists", {"name": "Extra"}, expect=201).get("list_id")
    ended(check, check.call("POST", "/activities/list_delete", {"list_ids": [extra]}, expect=201))
    check.call("GET", "/activities", limit=500, state="completed")


def ended(check: Checker, activity: dict[str, Any]) -> None:
    for _ in range(50):
        found = check.call("GET", f"/activities/{activity.get('activity_id')}")
        if found.get("state") not in ("initialized", "processing"):
            return
        time.sleep(0.02)


def the_refusals(check: Checker, joe: str, list_id: str) -> None:
    check.call("GET", f"/contacts/{NOBODY}", expect=404)
    check.call("GET", "/contacts/nonsense", expect=404)
    check.call("GET", f"/contact_lists/{NOBODY}", expect=404)
    check.call("GET", f"/activities/{NOBODY}", expect=404)
    check.call("POST", "/contact_lists", {"name": "Spring Gala"}, expect=409)
    check.call("PUT", f"/contact_lists/{list_id}", {"name": "Spring Gala"}, expect=400)
    nowhere = {"create_source": "Account", "first_name": "X", "list_memberships": [NOBODY]}
    check.call("POST", "/contacts", nowhere, expect=400)
    source = {"source": {"contact_ids": [joe]}, "list_ids": [NOBODY]}
    check.call("POST", "/activities/add_list_memberships", source, expect=400)
    check.call("POST", "/activities/remove_list_memberships", source, expect=404)
    token, check.token = check.token, "nonsense"
    check.call("GET", "/contacts", expect=401)
    check.token = token
