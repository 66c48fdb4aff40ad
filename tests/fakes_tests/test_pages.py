"""What a person sees, and the buttons."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import requests

from tests.fakes_tests.api import JOE, Api

NOTICE = "Sandbox Mailchimp – nothing here is e-mailed"


def page(api: Api, path: str, **query: Any) -> str:
    answer = requests.get(f"{api.sandbox.url}{path}", params=query, timeout=20)
    assert answer.status_code == 200, answer.text
    assert NOTICE in answer.text and "http://fonts" not in answer.text and "<script" not in answer.text
    return answer.text


def test_the_start_shows_accounts_calls_and_deliveries(api: Api) -> None:
    api.add()
    text = page(api, "/")
    for word in ("River Trust", "Harbor Food Bank", "Last calls", "Last webhook deliveries", api.members):
        assert word in text


def test_people_are_searched_and_paged(api: Api) -> None:
    api.act("holder", "add_crowd", count=120)
    where = {"account": "river", "id": api.audience.id}
    assert "126 people, page 3 of 3" in page(api, "/audience", **where, page=3)
    assert "1 person, page 1 of 1" in page(api, "/audience", **where, q="vega")
    assert "hugo.marchetti" in page(api, "/audience", **where, status="unsubscribed")


def test_what_people_typed_is_shown_as_text(api: Api) -> None:
    member = api.add(merge_fields={"FNAME": "<script>alert(1)</script>"}, tags=['"><b>'])
    shown = page(api, "/member", account="river", audience=api.audience.id, contact=member["contact_id"])
    assert "&lt;script&gt;" in shown
    page(api, "/audience", account="river", id=api.audience.id)


def test_a_button_acts_and_leads_back_with_its_outcome(api: Api) -> None:
    contact = api.add()["contact_id"]
    back = "/member?" + urlencode({"account": "river", "audience": api.audience.id, "contact": contact})
    wish = {"as": "person", "action": "unsubscribe", "account": "river", "audience": api.audience.id, "email": JOE}
    answer = requests.post(f"{api.sandbox.url}/act", data={**wish, "back": back}, timeout=20)
    assert "Done: unsubscribe." in answer.text
    assert api.held(JOE)["unsubscribed_by"] == "contact"
    again = requests.post(f"{api.sandbox.url}/act", data={**wish, "back": back}, timeout=20)
    assert "is unsubscribed already" in again.text


def test_a_button_never_leads_elsewhere(api: Api) -> None:
    wish = {"as": "holder", "action": "revoke", "account": "river", "back": "//elsewhere.test/"}
    answer = requests.post(f"{api.sandbox.url}/act", data=wish, allow_redirects=False, timeout=20)
    assert answer.headers["Location"].startswith("/?")


def test_a_page_about_somebody_gone_says_so(api: Api) -> None:
    url = f"{api.sandbox.url}/member?account=river&audience={api.audience.id}&contact=none"
    answer = requests.get(url, timeout=20)
    assert answer.status_code == 404 and "Not here any more" in answer.text
