"""The account itself: `/`, `/ping`, `/authorized-apps`, `/search-members`, and a member's activity."""

from __future__ import annotations

from typing import Any

from tests.fakes.mailchimp.call import Answer, Call
from tests.fakes.mailchimp.errors import invalid, not_found
from tests.fakes.mailchimp.members import the_member
from tests.fakes.mailchimp.paging import page
from tests.fakes.mailchimp.shown import show_member, status_counts
from tests.fakes.mailchimp.state import iso

APP_ID = 739_214_550
MOST_FOUND = 30


def root(call: Call) -> Answer:
    """Who is connected. The keys of ``contact`` differ from those of an audience."""
    account = call.account
    content = {
        "account_id": account.account_id,
        "login_id": str(account.user_id),
        "account_name": account.name,
        "email": account.email,
        "first_name": account.name.split()[0],
        "last_name": "Office",
        "username": account.login,
        "avatar_url": "",
        "role": "owner",
        "member_since": "2019-04-02T09:00:00+00:00",
        "pricing_plan_type": account.plan,
        "first_payment": "2019-05-02T09:00:00+00:00",
        "account_timezone": "US/Pacific",
        "account_industry": "Non-Profit",
        "contact": account.contact,
        "pro_enabled": False,
        "last_login": iso(call.now),
        "total_subscribers": sum(status_counts(each)["subscribed"] for each in account.audiences.values()),
        "industry_stats": {"open_rate": 0.3, "bounce_rate": 0.01, "click_rate": 0.03},
    }
    return Answer(content, "Root")


def ping(call: Call) -> Answer:
    return Answer({"health_status": "Everything's Chimpy!"}, "Ping")


def app(call: Call) -> dict[str, Any]:
    users = [call.account.login] if call.account.tokens else []
    return {"id": APP_ID, "name": "Almoner sandbox app", "description": "", "users": users}


def apps(call: Call) -> Answer:
    rows, total = page(call, [app(call)] if call.account.tokens else [], lambda each: each)
    return Answer({"apps": rows, "total_items": total}, "AuthorizedApps/Collection")


def one_app(call: Call, number: str) -> Answer:
    if number != str(APP_ID) or not call.account.tokens:
        raise not_found()
    return Answer(app(call), "AuthorizedApps/Instance")


def search(call: Call) -> Answer:
    query = call.query.get("query", "").strip().lower()
    if not query:
        raise invalid("query", "Required fields were not provided: query")
    audiences = list(call.account.audiences.values())
    if list_id := call.query.get("list_id"):
        audiences = [call.audience(list_id)]
    exact: list[Any] = []
    full: list[Any] = []
    for audience in audiences:
        for member in audience.members.values():
            if member.status == "archived" or len(full) >= MOST_FOUND:
                continue
            names = (member.merge_fields.get(tag, "") for tag in ("FNAME", "LNAME"))
            if query in " ".join([member.email_address, *map(str, names)]).lower():
                full.append(show_member(audience, member))
                if member.email_address.lower() == query:
                    exact.append(full[-1])
    content = {
        "exact_matches": {"members": exact, "total_items": len(exact)},
        "full_search": {"members": full, "total_items": len(full)},
    }
    return Answer(content, "SearchMembers")


def activity_feed(call: Call, list_id: str, key: str) -> Answer:
    """The only place that tells who unsubscribed a member, newest first."""
    member = the_member(call.audience(list_id), key)
    wanted = set(filter(None, call.query.get("activity_filters", "").split(",")))
    items = [each for each in reversed(member.activity) if not wanted or each["activity_type"] in wanted]

    def show(item: dict[str, Any]) -> dict[str, Any]:
        rest = {name: value for name, value in item.items() if name != "at"}
        campaign = {"campaign_id": "", "campaign_title": ""}
        return {**rest, "created_at_timestamp": iso(item["at"]), **campaign}

    rows, _ = page(call, items, show)
    return Answer({"activity": rows, "email_id": member.id, "list_id": list_id}, "Lists/Members/ActivityFeed")


def activity(call: Call, list_id: str, key: str) -> Answer:
    """The older feed, without who did it."""
    member = the_member(call.audience(list_id), key)
    rows = [
        {"action": each["activity_type"], "timestamp": iso(each["at"]), "type": "", "title": ""}
        for each in reversed(member.activity)
    ]
    content = {
        "activity": rows,
        "email_id": member.id,
        "contact_id": member.contact_id,
        "list_id": list_id,
        "total_items": len(rows),
    }
    return Answer(content, "Lists/Members/Activity")


def no_categories(call: Call, list_id: str) -> Answer:
    """The sandbox's audiences have no interest groups."""
    call.audience(list_id)
    return Answer({"list_id": list_id, "categories": [], "total_items": 0}, "Lists/InterestCategories")


ROUTES = [
    ("GET", "/", root),
    ("GET", "/ping", ping),
    ("GET", "/authorized-apps", apps),
    ("GET", "/authorized-apps/<number>", one_app),
    ("GET", "/search-members", search),
    ("GET", "/lists/<list_id>/interest-categories", no_categories),
    ("GET", "/lists/<list_id>/members/<key>/activity-feed", activity_feed),
    ("GET", "/lists/<list_id>/members/<key>/activity", activity),
]
