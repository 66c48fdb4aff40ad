"""The list of contacts: its columns, search and filters."""

from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from contacts.admin.custom_filters import custom_filters
from contacts.admin.filters import DoNotContactFilter, EmailFilter, OnListFilter, TagFilter
from contacts.admin.history import local
from contacts.models import Contact, ContactTag, EmailAddress, ListMembership
from contacts.search import contacts_matching

NO_ADDRESS = mark_safe('<span class="al-subtle">No email address</span>')  # noqa: S308  (fixed text)
DNC_BADGE = mark_safe('<span class="al-badge al-bad">Do Not Contact</span>')  # noqa: S308  (fixed text)
SHOWN = 2  # lists and tags named in a row; the others are counted
STATE_LOOKS = {EmailAddress.State.BOUNCED: "al-warn", EmailAddress.State.COMPLAINED: "al-bad"}


class ContactColumns:
    """Mixed into the admin of contacts: what its list shows and how it is searched."""

    list_display = ["name", "email", "lists", "tag_names", "dnc", "last_changed"]
    list_filter = [("kind", ChoicesDropdownFilter), DoNotContactFilter, OnListFilter, TagFilter, EmailFilter]
    search_fields = ["last_name", "first_name", "organization_name"]  # what is searched says contacts/search.py
    empty_sentence = "Add the people and organizations you know; then put them on lists."
    search_help_text = "Name, email address, phone number, organization or id"

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """With one for each of the organization's own fields."""
        return [*self.list_filter, *custom_filters(request)]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Our own search: sub-queries instead of joins, and phone numbers as people write them."""
        return contacts_matching(queryset, search_term), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The rows of one page with all that their columns show, in three queries."""
        changes = super().get_changelist_instance(request)  # type: ignore[misc]
        changes.result_list = changes.result_list.prefetch_related(
            "email_addresses",
            Prefetch("memberships", ListMembership.objects.select_related("contact_list")),
            Prefetch("contact_tags", ContactTag.objects.select_related("tag")),
        )
        return changes

    @display(description="Name", ordering="last_name", header=True)
    def name(self, contact: Contact) -> list[str]:
        if contact.kind == Contact.Kind.ORGANIZATION:
            return [str(contact), "Organization"]
        return [str(contact), ", ".join(filter(None, [contact.job_title, contact.organization_name]))]

    @display(description="Email")
    def email(self, contact: Contact) -> str:
        address = contact.primary_email
        if address is None:
            return NO_ADDRESS
        if address.state == EmailAddress.State.OK:
            return address.address
        looks = STATE_LOOKS.get(EmailAddress.State(address.state), "al-warn")
        return format_html(
            '{} <span class="al-badge {}">{}</span>', address.address, looks, address.get_state_display()
        )

    @display(description="Lists")
    def lists(self, contact: Contact) -> str:
        return badges([row.contact_list.name for row in contact.memberships.all()])

    @display(description="Tags")
    def tag_names(self, contact: Contact) -> str:
        return badges([row.tag.name for row in contact.contact_tags.all()])

    @display(description="May we write?", ordering="do_not_contact")
    def dnc(self, contact: Contact) -> str:
        return DNC_BADGE if contact.do_not_contact else ""

    @display(description="Last changed", ordering="updated_at")
    def last_changed(self, contact: Contact) -> str:
        moment = local(contact.updated_at)
        return format_html('<span class="al-nowrap" title="{}">{}</span>', moment, moment.rpartition(", ")[0])


def badges(names: list[str]) -> str:
    """The first few names, and how many more."""
    shown = format_html_join(" ", '<span class="al-badge" title="{0}">{0}</span>', [(name,) for name in names[:SHOWN]])
    return shown if len(names) <= SHOWN else format_html("{} +{}", shown, len(names) - SHOWN)
