"""The list of contacts: its columns, search and filters."""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Prefetch
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin, checkbox
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from contacts import sharing, standing
from contacts.admin.custom_filters import custom_filters
from contacts.admin.filters import DoNotContactFilter, EmailFilter, ImportFilter, OnListFilter, TagFilter
from contacts.admin.history import local
from contacts.admin.saved_filters import SavedFilters
from contacts.models import Contact, ContactTag, EmailAddress, ListMembership
from contacts.models.contact import load_ways
from contacts.search import contacts_matching, count_of
from contacts.tenancy.changelist import SteadyChangeList, is_number

SHOWN = 2  # lists and tags named in a row; the others are counted
BY_NAME = ["last_name", "first_name", "organization_name", "pk"]
NO_MAIL = {
    EmailAddress.State.BOUNCED: ("warn", "No, mail bounced"),
    EmailAddress.State.COMPLAINED: ("bad", "No, reported us as spam"),
    EmailAddress.State.INVALID: ("warn", "No, not a valid address"),
}


class ContactChangeList(SteadyChangeList):
    """Sorted by name means by first name as well, and comes straight from an index."""

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        ordering = super().get_ordering(request, queryset)
        if ordering[0] == "last_name":
            return BY_NAME
        return [f"-{name}" for name in BY_NAME] if ordering[0] == "-last_name" else ordering

    def known_count(self) -> int | None:
        """Of a search without filters, and of one list without more, from the table that says who it is."""
        asked = self.get_filters_params()
        if self.query:
            return None if asked else count_of(self.query)
        if asked.keys() == {"list"} and is_number(chosen := asked["list"][-1]):
            return ListMembership.objects.filter(contact_list=chosen).count()
        return None


class ContactColumns(SavedFilters):
    """Mixed into the admin of contacts: what its list shows and how it is searched."""

    list_display = ["name", "email", "lists", "tag_names", "may_we", "last_changed"]
    list_filter = [
        ("kind", ChoicesDropdownFilter), DoNotContactFilter, OnListFilter, TagFilter, EmailFilter, ImportFilter,
    ]  # fmt: skip
    search_fields = ["last_name", "first_name", "organization_name"]  # what is searched says contacts/search.py
    list_per_page = 25  # drawing a row costs more than finding it
    empty_sentence = "Add the people and organizations you know; then put them on lists."
    search_help_text = "Name, email address, phone number, organization or id"

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """With one for each of the organization's own fields."""
        return [*self.list_filter, *custom_filters(request)]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Our own search: sub-queries instead of joins, and phone numbers as people write them."""
        return contacts_matching(queryset, search_term), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SteadyChangeList]:
        return ContactChangeList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The rows of one page with all that their columns show, in a fixed number of queries."""
        changes = super().get_changelist_instance(request)  # type: ignore[misc]
        changes.result_list = rows = list(changes.result_list.prefetch_related(
            "email_addresses",
            Prefetch("memberships", ListMembership.objects.select_related("contact_list")),
            Prefetch("contact_tags", ContactTag.objects.select_related("tag")),
        ))  # fmt: skip
        addresses = {row.pk: row.primary_email.address_key for row in rows if row.primary_email}
        by_uid, by_address = standing.load([row.uid for row in rows], addresses.values()) if rows else ({}, {})
        others = sharing.refusing(addresses.values())
        load_ways(rows)
        for row in rows:
            row.refused = sharing.refused_by_another(row, addresses.get(row.pk, ""), others)
            row.standing = standing.strictest(by_uid.get(str(row.uid)), by_address.get(addresses.get(row.pk, "")))
        return changes

    def action_checkbox(self, contact: Contact) -> str:
        """As the theme makes it, without a template for each row."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="{}" aria-label="Choose {}">',
            ACTION_CHECKBOX_NAME, contact.pk, checkbox.attrs["class"], contact.called,
        )  # fmt: skip

    action_checkbox.short_description = ModelAdmin.action_checkbox.short_description  # type: ignore[attr-defined]

    @display(description="Name", ordering="last_name", header=True)
    def name(self, contact: Contact) -> list[str]:
        if contact.kind == Contact.Kind.ORGANIZATION:
            return [contact.called, "Organization"]
        return [contact.called, ", ".join(filter(None, [contact.job_title, contact.organization_name]))]

    @display(description="Email")
    def email(self, contact: Contact) -> str:
        """The primary one; on a narrow page its line breaks behind the @."""
        if contact.primary_email is None:
            return ""
        address = contact.primary_email.address
        before, at, after = address.rpartition("@")
        return format_html('<span class="cl-email" title="{}">{}{}<wbr>{}</span>', address, before, at, after)

    @display(description="Lists")
    def lists(self, contact: Contact) -> str:
        return badges([row.contact_list.name for row in contact.memberships.all()])

    @display(description="Tags")
    def tag_names(self, contact: Contact) -> str:
        return badges([row.tag.name for row in contact.contact_tags.all()])

    @display(description="May we email them?", ordering="do_not_contact")
    def may_we(self, contact: Any) -> str:
        """Yes, or no and why."""
        look, words = mail_to(contact, contact.standing, contact.refused)
        return format_html('<span class="al-badge al-{}">{}</span>', look, words)

    @display(description="Last changed", ordering="updated_at")
    def last_changed(self, contact: Contact) -> str:
        moment = local(contact.updated_at)
        return format_html('<span class="al-nowrap" title="{}">{}</span>', moment, moment.rpartition(", ")[0])


def mail_to(contact: Contact, words: standing.Standing, refused: str = "") -> tuple[str, str]:
    """(look, sentence): whether lists reach them, judged from the strictest reason down."""
    email = contact.primary_email
    if contact.do_not_contact:
        return "bad", "No, Do Not Contact"
    everywhere = [state for scope, state in words.items() if not scope.startswith("list:")]
    if standing.OUT in everywhere:
        return "bad", "No, they opted out"
    if email is None:
        return "none", "No email address"
    if email.state != EmailAddress.State.OK:
        return NO_MAIL[EmailAddress.State(email.state)]
    if refused:
        return "bad", "No, shared address"
    if standing.ASK in everywhere:
        return "warn", "Only after they confirm"
    if standing.OUT in words.values():
        return "warn", "Not for every list"
    return "good", "Yes"


def badges(names: list[str]) -> str:
    """The first few names, and how many more."""
    shown = format_html_join(" ", '<span class="al-badge" title="{0}">{0}</span>', [(name,) for name in names[:SHOWN]])
    return shown if len(names) <= SHOWN else format_html("{} +{}", shown, len(names) - SHOWN)
