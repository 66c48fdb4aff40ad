"""Lists at Mailchimp: a tag (static segment) of the one audience, or an audience of its own."""

from collections.abc import Mapping
from typing import Any

from integrations.provider_kit.errors import CallFailed, Done, Outcome, Refused
from integrations.provider_kit.states import ListOperation, Verb
from integrations.providers.mailchimp.api import Api

PLAN_LIMIT = Refused(
    "plan_limit",
    "The Mailchimp plan of this account allows no more audiences. Delete one there, change the plan, "
    "or keep lists as tags of one audience (in the settings).",
)
FIELDS = ("contact", "permission_reminder", "email_type_option", "campaign_defaults")


def audience_in(place: str) -> str:
    """The audience that a place names, or "" if the place is an audience of its own."""
    kind, _, name = place.partition(":")
    return name if kind == "audience" else ""


def carry_out(api: Api, settings: Mapping[str, Any], operation: ListOperation) -> Outcome:
    """Create, rename or delete one list."""
    audience = audience_in(operation.place)
    try:
        if operation.verb == Verb.CREATE_LIST:
            return _create_tag(api, audience, operation) if audience else _create_audience(api, settings, operation)
        if operation.verb == Verb.RENAME_LIST:
            return _rename(api, audience, operation)
        return _delete(api, audience, operation)
    except CallFailed as failure:
        return failure.outcome


def find(api: Api, operation: ListOperation) -> str:
    """The id of a list of exactly this name there; of several audiences the newest, or ""."""
    if audience := audience_in(operation.place):
        fields = "segments.id,segments.name"
        tags = api.pages("lists", audience, "segments", key="segments", fields=fields, type="static")
        # Upper and lower case make no difference to Mailchimp in the name of a tag.
        return next((str(tag["id"]) for tag in tags if tag["name"].casefold() == operation.name.casefold()), "")
    fields = "lists.id,lists.name,lists.date_created"
    found = [row for row in api.pages("lists", key="lists", fields=fields) if row["name"] == operation.name]
    return str(max(found, key=lambda row: row.get("date_created", ""))["id"]) if found else ""


def audiences(api: Api) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """(id, name) of every audience, and what the plan allows. Nothing that makes Mailchimp count members."""
    fields = "lists.id,lists.name,total_items,constraints"
    answer = api.call("GET", "lists", query={"count": 1000, "fields": fields})
    return [(str(row["id"]), str(row["name"])) for row in answer.get("lists", [])], answer.get("constraints") or {}


def _create_tag(api: Api, audience: str, operation: ListOperation) -> Outcome:
    made = api.call("POST", "lists", audience, "segments", json={"name": operation.name, "static_segment": []})
    return Done(remote_id=str(made["id"]))


def _create_audience(api: Api, settings: Mapping[str, Any], operation: ListOperation) -> Outcome:
    body = {
        "name": operation.name,
        "contact": {key: value for key, value in settings.get("contact", {}).items() if value},
        "permission_reminder": settings.get("permission_reminder", ""),
        "email_type_option": False,
        "campaign_defaults": {
            "from_name": settings.get("from_name", ""),
            "from_email": settings.get("from_email", ""),
            "subject": "",
            "language": settings.get("language", "en"),
        },
    }
    try:
        return Done(remote_id=str(api.call("POST", "lists", json=body)["id"]))
    except CallFailed as failure:
        # The plan's limit and too small a role are told in the same words; here the limit is the likelier one.
        if getattr(failure.outcome, "code", "") == "not_permitted":
            return PLAN_LIMIT
        raise


def _rename(api: Api, audience: str, operation: ListOperation) -> Outcome:
    name = {"name": operation.name}
    if audience:
        # Without static_segment: one, even an empty one, would replace everybody who carries the tag.
        api.call("PATCH", "lists", audience, "segments", operation.remote_id, json=name)
    else:
        # All five fields are required, so what is there is sent back with the new name.
        there = api.call("GET", "lists", operation.remote_id, query={"fields": ",".join(FIELDS)})
        api.call("PATCH", "lists", operation.remote_id, json={key: there[key] for key in FIELDS if key in there} | name)
    return Done(remote_id=operation.remote_id)


def _delete(api: Api, audience: str, operation: ListOperation) -> Outcome:
    path = ("lists", audience, "segments", operation.remote_id) if audience else ("lists", operation.remote_id)
    try:
        api.call("DELETE", *path)
    except CallFailed as failure:
        if getattr(failure.outcome, "code", "") != "not_found":
            raise
        return Done(answer="It was gone there already.")
    return Done()
