"""Lists at Constant Contact: made, renamed, deleted and found by name. An account holds 1,000 of them."""

from urllib.parse import quote

from integrations.provider_kit.base import ListThere
from integrations.provider_kit.errors import CallFailed, Done, Outcome, Refused
from integrations.provider_kit.states import ListOperation, Verb
from integrations.providers.constant_contact import activities
from integrations.providers.constant_contact.answers import NOT_FOUND
from integrations.providers.constant_contact.api import Api

LISTS = "/v3/contact_lists"
KEPT = ("favorite", "description")  # a rename is a full update: what is left out is emptied
LONGEST_NAME = 255
LAST_ONE = "Constant Contact keeps at least one list in an account, and refused to delete this one."


def carry_out(api: Api, operation: ListOperation) -> Outcome:
    """Create, rename or delete one list."""
    try:
        if operation.verb == Verb.CREATE_LIST:
            made = api.call("POST", LISTS, json={"name": operation.name[:LONGEST_NAME], "favorite": False})
            return Done(remote_id=str(made["list_id"]))
        if operation.verb == Verb.RENAME_LIST:
            return _rename(api, operation)
        return _delete(api, operation)
    except CallFailed as failure:
        return failure.outcome


def find(api: Api, operation: ListOperation) -> str:
    """The id of a list of exactly this name, or ""."""
    rows = api.pages(LISTS, "lists", name=operation.name[:LONGEST_NAME])
    return next((str(row["list_id"]) for row in rows if row.get("name") == operation.name[:LONGEST_NAME]), "")


def there(api: Api) -> list[ListThere]:
    """Every list of the account, with how many are on it."""
    rows = api.pages(LISTS, "lists", include_membership_count="all")
    return [ListThere(str(row["list_id"]), str(row["name"]), row.get("membership_count")) for row in rows]


def path_of(operation: ListOperation) -> str:
    """Where the list is found."""
    return f"{LISTS}/{quote(operation.remote_id, safe='')}"


def _rename(api: Api, operation: ListOperation) -> Outcome:
    row = api.call("GET", path_of(operation))
    kept = {key: row[key] for key in KEPT if row.get(key) is not None}
    api.call("PUT", path_of(operation), json={**kept, "name": operation.name[:LONGEST_NAME]})
    return Done(remote_id=operation.remote_id)


def _delete(api: Api, operation: ListOperation) -> Outcome:
    """The vendor takes it in (202) and does it in its own time, which is waited for a little."""
    try:
        activity = activities.of("list_delete", api.call("DELETE", path_of(operation)))
        if (
            activity.activity_id
            and activities.wait_for(api, {activity.ticket: activity})[activity.ticket].state == "failed"
        ):
            return Refused("refused", LAST_ONE)
    except CallFailed as failure:
        code = getattr(failure.outcome, "code", "")
        if code == NOT_FOUND:
            return Done(answer="It was gone there already.")
        if isinstance(failure.outcome, Refused):
            return Refused("refused", LAST_ONE)
        raise
    return Done()
