"""What the page of one contact shows beside its form: who they are, their household, consent and timeline."""

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest

from contacts import elsewhere, households, sharing, standing, timeline
from contacts.admin.history import local
from contacts.duplicates.identities import uids_of
from contacts.models import Contact, ContactList, EmailAddress, HistoryEntry, ListMembership
from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from contacts.verdict import verdict

LATEST_CONSENT = 5
SHARERS = 8  # named; the others are counted


class AddListForm(forms.Form):
    """The list to put a contact on."""

    contact_list: Any = forms.ModelChoiceField(queryset=None, label="List")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_add_to_%s", **kwargs})
        choice = self.fields["contact_list"]
        choice.queryset = ContactList.objects.all()  # type: ignore[attr-defined]
        choice.widget = AutocompleteSelect(ListMembership._meta.get_field("contact_list"), admin.site)
        choice.widget.choices = choice.choices  # type: ignore[attr-defined]


@dataclass(slots=True)
class Consent:
    """Whether they may be written to, in a sentence, and the latest decisions."""

    sentence: str
    tone: str
    latest: list[timeline.Entry] = field(default_factory=list)
    can_ask_again: bool = False  # something is withdrawn that the person may give back
    lists: list[ListMembership] = field(default_factory=list)
    is_out: bool = False  # by their own word, from something


def whole(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """Contacts with what the page asks for more than once."""
    parts = ["email_addresses", "phone_numbers", "postal_addresses"]
    return contacts.select_related("household").prefetch_related(*parts)


def initials(contact: Contact) -> str:
    """Two letters in place of a picture."""
    if contact.kind == Contact.Kind.ORGANIZATION:
        return contact.organization_name[:1].upper()
    letters = [name[0] for name in (contact.first_name, contact.last_name) if name]
    return "".join(letters).upper() or next((sign for sign in contact.called if sign.isalnum()), "").upper()


def added(contact: Contact) -> str:
    """“Added Mar 3, 2026 by Ana Ruiz (Import)”."""
    told = HistoryEntry.objects.filter(
        contact_uid=contact.uid, verb=HistoryEntry.Verb.ADDED, what=Contact._meta.verbose_name
    ).last()
    day = local(contact.created_at).rpartition(", ")[0]
    if told is None or told.actor_label == "Almoner":
        return f"Added {day}"
    source = f" ({told.source})" if told.source not in ("Almoner", told.actor_label) else ""
    return f"Added {day} by {told.actor_label}{source}"


def household_of(contact: Contact) -> dict[str, Any]:
    """Who they live with, who else has their address, and what can be done about it."""
    sharers = list(households.sharing(contact)[: SHARERS + 1])
    home = contact.household
    homes = {one.household_id: one.household for one in sharers if one.household}
    others = list(home.members.exclude(pk=contact.pk).order_by("pk")[: SHARERS + 1]) if home else []
    primary = contact.primary_email
    return {
        "home": home,
        "members": others[:SHARERS],
        "more_members": len(others) > SHARERS,
        "sharers": sharers[:SHARERS],
        "more_sharers": len(sharers) > SHARERS,
        "address": primary.address if primary else "",
        "may_make": home is None and sharers and not homes,
        "may_join": next(iter(homes.values())) if home is None and len(homes) == 1 else None,
        "outside": [one for one in sharers if one.household_id is None] if home else [],
        "greeting": households.greeting_at(primary.address_key) if primary and sharers else "",
    }


def consent_of(
    request: HttpRequest, contact: Contact, subject: timeline.Subject, memberships: list[ListMembership]
) -> Consent:
    """The standing of today, and how it came about (L35)."""
    primary = contact.primary_email
    by_uid, by_address = standing.load([contact.uid], [primary.address_key] if primary else [])
    words = standing.strictest(*by_uid.values(), *by_address.values())
    events = list(timeline.consent_of(subject).order_by("-at", "-pk")[:LATEST_CONSENT])
    latest = [timeline.consent_entry(event, subject) for event in events]
    told = elsewhere.teller()
    key = primary.address_key if primary else ""
    refused = sharing.refused_by_another(contact, key, sharing.refusing([key]))
    asked = told.asked_to_confirm(request, contact) if told else ()
    sentence, tone = verdict(contact, words, memberships, asked, refused)
    has_complained = primary is not None and primary.state == EmailAddress.State.COMPLAINED
    withdrawn = {state for state in words.values() if state != standing.FREE}
    off = any(m.do_not_contact for m in memberships)
    may_ask_again = bool(contact.do_not_contact or withdrawn or off or has_complained)
    return Consent(sentence, tone, latest, may_ask_again, memberships, standing.OUT in withdrawn)


def beside_the_form(request: HttpRequest, contact: Contact) -> dict[str, Any]:
    """Everything on the page but the form, in a fixed number of queries."""
    emails, phones = list(contact.email_addresses.all()), list(contact.phone_numbers.all())
    memberships = list(contact.memberships.select_related("contact_list"))
    subject = timeline.subject_of(contact, uids_of(contact))
    primary = contact.primary_email
    may_change_lists = is_allowed(request, CHANGE, "lists")
    add_form = AddListForm()
    return {
        "initials": initials(contact),
        "is_organization": contact.kind == Contact.Kind.ORGANIZATION,
        "primary": primary,
        "bad_addresses": [email for email in emails if email.state != EmailAddress.State.OK],
        "phone": phones[0] if phones else None,
        "postal": next(iter(contact.postal_addresses.all()), None),
        "tags_here": [row.tag for row in contact.contact_tags.select_related("tag")],
        "memberships_here": memberships,
        "added": added(contact),
        "around": household_of(contact),
        "consent": consent_of(request, contact, subject, memberships),
        "timeline": timeline.page_of(request, subject, request.GET.get("kind", ""), request.GET.get("before", "")),
        "may_see_lists": is_allowed(request, SEE, "lists"),
        "may_change_lists": may_change_lists,
        "may_change": is_allowed(request, CHANGE, "contacts"),
        "add_form": add_form if may_change_lists else None,
    }
