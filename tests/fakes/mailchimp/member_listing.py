"""Listing the members of an audience: filters, order, pages."""

from __future__ import annotations

from typing import Any

from tests.fakes.mailchimp.call import Answer, Call
from tests.fakes.mailchimp.errors import invalid
from tests.fakes.mailchimp.paging import direction, page
from tests.fakes.mailchimp.shown import member_shower
from tests.fakes.mailchimp.state import Audience, Member
from tests.fakes.mailchimp.transitions import STATUSES


def index(call: Call, list_id: str) -> Answer:
    audience = call.audience(list_id)
    wanted = Wanted.read(call)
    found = audience.cached(wanted.key, lambda: wanted.find(audience))
    rows, total = page(call, found, member_shower(audience))
    return Answer({"members": rows, "list_id": list_id, "total_items": total}, "Lists/Members/Collection")


class Wanted:
    """The filters of a listing; archived members are left out unless asked for."""

    def __init__(self, filters: dict[str, Any], sort_field: str, *, descending: bool) -> None:
        self.filters, self.sort_field, self.descending = filters, sort_field, descending
        self.key = ("members", tuple(filters.items()), sort_field, descending)

    @classmethod
    def read(cls, call: Call) -> Wanted:
        filters: dict[str, Any] = {
            "status": call.choice("status", *STATUSES, "archived"),
            "email_type": call.query.get("email_type", ""),
            "unique_email_id": call.query.get("unique_email_id", ""),
            "vip_only": call.flag("vip_only"),
        }
        for name in ("last_changed", "timestamp_opt"):
            filters[f"since_{name}"] = call.time(f"since_{name}")
            filters[f"before_{name}"] = call.time(f"before_{name}")
        filters["unsubscribed_since"] = call.time("unsubscribed_since")
        if filters["unsubscribed_since"] is not None and filters["status"] != "unsubscribed":
            raise invalid("unsubscribed_since", "This filter can only be used with a status of unsubscribed.")
        sort = call.choice("sort_field", "timestamp_opt", "timestamp_signup", "last_changed")
        return cls(filters, sort, descending=direction(call))

    def find(self, audience: Audience) -> list[Member]:
        f = self.filters
        rows: list[Member] = list(audience.members.values())
        if status := f["status"]:
            rows = [m for m in rows if m.status == status]
        else:
            rows = [m for m in rows if m.status != "archived"]
        for name in ("last_changed", "timestamp_opt"):
            # Exclusive on both sides: a change in the very second asked for is not part of it.
            if (since := f[f"since_{name}"]) is not None:
                rows = [m for m in rows if getattr(m, name) > since]
            if (before := f[f"before_{name}"]) is not None:
                rows = [m for m in rows if getattr(m, name) < before]
        if (since := f["unsubscribed_since"]) is not None:
            rows = [m for m in rows if m.unsubscribed_at > since]
        for name in ("email_type", "unique_email_id"):
            if f[name]:
                rows = [m for m in rows if getattr(m, name) == f[name]]
        if f["vip_only"]:
            rows = [m for m in rows if m.vip]
        if sort := self.sort_field:
            # Within one second the order is arbitrary, but the same each time.
            rows.sort(key=lambda m: (getattr(m, sort), m.id), reverse=self.descending)
        return rows


ROUTES = [("GET", "/lists/<list_id>/members", index)]
