"""Reading everybody who is in an audience, and every list that is there, to compare them with what is here (L31)."""

from collections.abc import Mapping
from typing import Any

from integrations.provider_kit.base import ListThere
from integrations.provider_kit.states import Member
from integrations.providers.mailchimp import lists
from integrations.providers.mailchimp.api import PAGE, Api, hash_of
from integrations.providers.mailchimp.members import SHOWN, Container, is_shared, seen
from integrations.providers.mailchimp.webhooks import OVERLAP

# A listing leaves out who is archived unless it is asked for them (vendors/mailchimp.md, 4.2).
STATUSES = ("", "archived")


def members_page(api: Api, where: Container, cursor: str) -> tuple[list[Member], str]:
    """A page of all who are in an audience, then of those who are archived there. Cursor: status and offset.

    Pages overlap: of a collection that moves meanwhile, rows would be skipped otherwise.
    """
    status, _, offset = (cursor or f"{STATUSES[0]}:0").partition(":")
    asked = {"count": PAGE, "offset": int(offset), "fields": ",".join(f"members.{name}" for name in SHOWN)}
    if status:
        asked["status"] = status
    rows = api.call("GET", "lists", where.audience, "members", query=asked).get("members") or []
    if len(rows) == PAGE:
        following = f"{status}:{int(offset) + PAGE - OVERLAP}"
    else:
        others = STATUSES[STATUSES.index(status) + 1 :]
        following = f"{others[0]}:0" if others else ""
    return [seen(whole(api, where, row), where) for row in rows], following


def whole(api: Api, where: Container, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A member with all tags: of more than 50 Mailchimp shows the first 50 only, so that the rest is asked for."""
    shown = row.get("tags") or []
    if not is_shared(where.key) or int(row.get("tags_count") or 0) <= len(shown):
        return row
    path = ("lists", where.audience, "members", hash_of(str(row["email_address"])), "tags")
    return {**row, "tags": list(api.pages(*path, key="tags", fields="tags.id,tags.name"))}


def lists_there(api: Api, place: str) -> list[ListThere]:
    """Every tag of an audience with how many carry it; without a place, every audience."""
    if audience := lists.audience_in(place):
        fields = "segments.id,segments.name,segments.member_count"
        tags = api.pages("lists", audience, "segments", key="segments", fields=fields, type="static")
        return [ListThere(str(tag["id"]), str(tag["name"]), tag.get("member_count")) for tag in tags]
    # How many are in an audience is not asked: Mailchimp would count them, which takes long.
    return [ListThere(remote_id, name) for remote_id, name in lists.audiences(api)[0]]
