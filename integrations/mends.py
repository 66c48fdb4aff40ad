"""The button that mends a reason, on the contact's page (L34): where to go, and what it says there.

*Retry* stands beside these wherever it helps; a reason with neither says in words that there is nothing to do.
"""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from integrations.models import Connection

ADDRESS = "#part-email-addresses"
ASKED_AGAIN = ("They asked to be written to again", "#asked-again", "contacts")

# code: what the button says, where it leads on the contact's page, and the area one must be allowed to change
ON_THE_PAGE: dict[str, tuple[str, str, str]] = {
    "no_email": ("Add an email address", ADDRESS, "contacts"),
    "email_bounced": ("Change or clear the address", ADDRESS, "contacts"),
    "email_invalid": ("Correct the address", ADDRESS, "contacts"),
    "cleaned_there": ("Change the address", ADDRESS, "contacts"),
    "fake_address": ("Change the address", ADDRESS, "contacts"),
    "invalid_address": ("Correct the address", ADDRESS, "contacts"),
    "merge_fields": ("Edit the name", "#part-name", "contacts"),
    "not_on_a_list": ("Add to a list", "#add-to-list", "lists"),
    "dnc_contact": ASKED_AGAIN,
    "dnc_list": ASKED_AGAIN,
    "opted_out": ASKED_AGAIN,
}
AT_THE_SERVICE = {"brake": "Answer the question", "not_permitted": "Connect it again", "plan_limit": "See the service"}


def mend(request: HttpRequest, code: str, connection: Connection, email: str = "") -> tuple[str, str] | None:
    """(words, address) of the button for this reason, if this person may press it; `email` is the primary address."""
    if code in ON_THE_PAGE:
        words, address, area = ON_THE_PAGE[code]
        return (words, address) if is_allowed(request, CHANGE, area) else None
    if code in AT_THE_SERVICE and is_allowed(request, CHANGE, "integrations"):
        return AT_THE_SERVICE[code], service_page(connection)
    if code == "list_not_there_yet" and is_allowed(request, SEE, "integrations"):
        lists = f"{reverse('integrations:aside')}?kind=set_aside&service={connection.provider}"
        return "See what was refused", lists
    if code == "address_taken":
        return "Look for the other one", f"{reverse('admin:contacts_contact_changelist')}?{urlencode({'q': email})}"
    return None


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
