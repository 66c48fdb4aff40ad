"""Accounts to JSON and back. Members are written as plain rows, which keeps 100,000 of them small."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any

from tests.fakes.mailchimp.state import Account, Audience, Member, MergeField, Segment, Webhook

MEMBER = [each.name for each in fields(Member)]
_member_row = attrgetter(*MEMBER)
ACCOUNT_PLAIN = [each.name for each in fields(Account) if each.name not in ("audiences", "busy", "lock", "batches")]
PARTS: dict[str, type] = {"merge_fields": MergeField, "segments": Segment, "webhooks": Webhook}
AUDIENCE_PLAIN = ("id", "web_id", "settings", "date_created", "serial")


def account_to_json(account: Account) -> dict[str, Any]:
    with account.lock:
        return {
            **{name: getattr(account, name) for name in ACCOUNT_PLAIN},
            "busy": sorted(account.busy),
            "batches": [batch.to_json() for batch in account.batches.values()],
            "audiences": [audience_to_json(each) for each in account.audiences.values()],
        }


def audience_to_json(audience: Audience) -> dict[str, Any]:
    return {
        **{name: getattr(audience, name) for name in AUDIENCE_PLAIN},
        "forgotten": sorted(audience.forgotten),
        **{name: [plain(each) for each in getattr(audience, name).values()] for name in PARTS},
        "member_columns": MEMBER,
        "members": [
            # The containers are copied, so that writing may go on while this is turned to text.
            [dict(v) if type(v) is dict else list(v) if type(v) is list else v for v in _member_row(each)]
            for each in audience.members.values()
        ],
    }


def plain(record: Any) -> dict[str, Any]:
    values = ((each.name, getattr(record, each.name)) for each in fields(record))
    return {name: dict(value) if isinstance(value, dict) else value for name, value in values}


def account_from_json(data: dict[str, Any], read_batch: Any) -> Account:
    account = Account(**{name: data[name] for name in ACCOUNT_PLAIN})
    account.busy = set(data["busy"])
    account.batches = {each["id"]: read_batch(each) for each in data["batches"]}
    account.audiences = {each["id"]: audience_from_json(each) for each in data["audiences"]}
    return account


def audience_from_json(data: dict[str, Any]) -> Audience:
    audience = Audience(**{name: data[name] for name in AUDIENCE_PLAIN})
    audience.forgotten = set(data["forgotten"])
    audience.merge_fields = {each["merge_id"]: MergeField(**each) for each in data["merge_fields"]}
    audience.segments = {each["id"]: Segment(**each) for each in data["segments"]}
    audience.webhooks = {each["id"]: Webhook(**each) for each in data["webhooks"]}
    columns = data["member_columns"]
    for row in data["members"]:
        values = dict(zip(columns, row, strict=True))
        values["tags"] = {int(tag): added for tag, added in values["tags"].items()}
        audience.add(Member(**values))
    return audience
