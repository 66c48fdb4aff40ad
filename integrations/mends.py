"""The button that mends a reason, on the contact's page (L34): where to go, and what it says there.

*Retry* stands beside these wherever it helps; a reason with neither says in words that there is nothing to do.
"""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from integrations.models import Connection

ADDRESS = "#part-email-addresses"
CHANGE_ADDRESS = ("Change the address", ADDRESS, "contacts")
ASKED_AGAIN = ("They asked to be written to again", "#asked-again", "contacts")

# code: what each button says, where it leads on the contact's page, and the area that one must be allowed to change
ON_THE_PAGE: dict[str, list[tuple[str, str, str]]] = {
    "no_email": [("Add an email address", ADDRESS, "contacts")],
    "email_bounced": [CHANGE_ADDRESS, ("Mark as good again", "#good-address", "contacts")],
    "email_complained": [ASKED_AGAIN],
    "email_invalid": [CHANGE_ADDRESS],
    "cleaned_there": [CHANGE_ADDRESS],
    "fake_address": [CHANGE_ADDRESS],
    "invalid_address": [CHANGE_ADDRESS],
    "cannot_change_address": [CHANGE_ADDRESS],
    "other_address": [CHANGE_ADDRESS],
    "address_stays": [CHANGE_ADDRESS],
    "merge_fields": [("Edit the name", "#part-name", "contacts")],
    "bad_name": [("Edit the name", "#part-name", "contacts")],
    "not_on_a_list": [("Add to a list", "#add-to-list", "lists")],
    "dnc_contact": [ASKED_AGAIN],
    "dnc_list": [ASKED_AGAIN],
    "opted_out": [ASKED_AGAIN],
}
AT_THE_SERVICE = {
    "brake": "Answer the question",
    "taken_back": "Go to Sync",
    "not_permitted": "Connect it again",
    "plan_limit": "See the service",
}


def mends(request: HttpRequest, code: str, connection: Connection, email: str = "") -> list[tuple[str, str]]:
    """(words, address) of the buttons for this reason that this person may press; `email` is the primary address."""
    found = [
        (words, address) for words, address, area in ON_THE_PAGE.get(code, ()) if is_allowed(request, CHANGE, area)
    ]
    if code in AT_THE_SERVICE and is_allowed(request, CHANGE, "integrations"):
        found.append((AT_THE_SERVICE[code], service_page(connection)))
    if code == "list_not_there_yet" and is_allowed(request, SEE, "integrations"):
        refused = f"{reverse('integrations:aside')}?kind=set_aside&service={connection.provider}"
        found.append(("See what was refused", refused))
    if code == "address_taken":
        query = urlencode({"q": email})
        found.append(("Look for the other one", f"{reverse('admin:contacts_contact_changelist')}?{query}"))
    return found


def mend(request: HttpRequest, code: str, connection: Connection, email: str = "") -> tuple[str, str] | None:
    """The first of them, where there is room for one."""
    return next(iter(mends(request, code, connection, email)), None)


def unblock(request: HttpRequest, connection: Connection) -> tuple[str, str] | None:
    """The button for a connection on which nothing moves."""
    words = {
        Connection.State.RECONNECT: "Reconnect", Connection.State.READY: "Make the first Sync",
        Connection.State.SETUP: "Finish the settings",
    }.get(Connection.State(connection.state))  # fmt: skip
    if words is None or not is_allowed(request, CHANGE, "integrations"):
        return None
    return words, service_page(connection)


def service_page(connection: Connection) -> str:
    """The service's card on the Integrations page."""
    return f"{reverse('integrations:setup')}#{connection.provider}"
