"""Ledgers that tell about contacts: each row leads to whom it is about, as long as they are here."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from contacts.models import Contact
from contacts.models.contact import load_ways


class NamesContacts:
    """Mixed into the admin of rows with a `contact`: whoever has no name is called by an address or a number."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The rows of one page; two queries more, if anybody there has no name."""
        changes = super().get_changelist_instance(request)  # type: ignore[misc]
        changes.result_list = rows = list(changes.result_list)
        load_ways(row.contact for row in rows)
        return changes


class KnowsWhose:
    """Mixed into the admin of rows with `contact_uid`: one query for a page of them."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The rows of one page, each with its contact."""
        changes = super().get_changelist_instance(request)  # type: ignore[misc]
        changes.result_list = rows = list(changes.result_list)
        uids = {row.contact_uid for row in rows if row.contact_uid}
        here = {one.uid: one for one in Contact.objects.filter(uid__in=uids).order_by()} if uids else {}
        load_ways(here.values())
        for row in rows:
            row.contact_here = here.get(row.contact_uid)
        return changes


def whose(row: Any, text: str) -> str:
    """`text` as a link to the row's contact; where it does not begin with their name, that comes first."""
    contact = getattr(row, "contact_here", None)
    if contact is None:
        return text
    link, name = reverse("admin:contacts_contact_change", args=[contact.pk]), str(contact)
    if text.startswith(name):
        return format_html('<a class="al-link" href="{}">{}{}</a>', link, contact.called, text.removeprefix(name))
    return format_html(
        '<a class="al-link" href="{}">{}</a><br><span class="al-subtle">{}</span>', link, contact.called, text
    )
