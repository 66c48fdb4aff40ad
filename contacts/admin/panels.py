"""The first page, as far as it is about contacts: the first steps, what needs a person today, how many contacts there
are, and how they grow. Every number opens the rows that it counts."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from contacts import charts, figures
from contacts.models import Contact, ContactList, DuplicatePair, EmailAddress, Import
from contacts.tenancy.cards import Need, Step, needs_for, steps_for
from contacts.tenancy.invitations import late_invitations
from contacts.tenancy.models import Tenant
from contacts.tenancy.roles import CHANGE, SEE, is_allowed

CONTACTS = "admin:contacts_contact_changelist"
BOUNCED = "email=bounced&do_not_contact=no"


def address(name: str, query: str = "") -> str:
    """The address of a page with this query, or "" where there is no such page."""
    try:
        return reverse(name) + (f"?{query}" if query else "")
    except NoReverseMatch:
        return ""


# --- the panels, in their order ---


def steps_panel(request: HttpRequest) -> str:
    """The first steps of a new organization, until all of them are done."""
    steps = steps_for(request)
    done = sum(step.is_done for step in steps)
    if done == len(steps):
        return ""
    following = next((i for i, step in enumerate(steps) if not step.is_done), None)
    context = {"steps": [(step, i == following) for i, step in enumerate(steps)], "done": done, "of": len(steps)}
    return render_to_string("admin/contacts/panel_steps.html", context, request)


def needs_panel(request: HttpRequest) -> str:
    """What waits for a person, each with a number that opens it; or that nothing does."""
    return render_to_string("admin/contacts/panel_needs.html", {"needs": needs_for(request)}, request)


def contacts_panel(request: HttpRequest) -> str:
    """How many there are."""
    if not is_allowed(request, SEE, "contacts"):
        return ""
    now = standing(request)
    contacts, lists = reverse(CONTACTS), ContactList.objects.count()
    tiles = [
        (now.members, "contact" if now.members == 1 else "contacts", contacts),
        (now.reachable, "may be written to", f"{contacts}?do_not_contact=no&email=ok"),
        (now.silent, "marked Do Not Contact", f"{contacts}?do_not_contact=yes"),
        (bounced().count(), "whose email bounced", f"{contacts}?{BOUNCED}"),
        (lists, "list" if lists == 1 else "lists", address(LISTS)),
    ]
    context = {
        "tiles": tiles,
        "is_empty": not now.members,
        "has_no_list": now.members and not lists,
        "may_add": is_allowed(request, CHANGE, "contacts"),
    }
    return render_to_string("admin/contacts/panel.html", context, request)


def charts_panel(request: HttpRequest) -> str:
    """Growth and consent."""
    if not is_allowed(request, SEE, "contacts"):
        return ""
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]
    now, span, here = timezone.now(), charts.span_of(request), standing(request)
    if not here.members:
        return ""
    drawn = [
        charts.growth(tenant, now, span, here.members, here.reachable, title="Growth of contacts"),
        charts.consent(tenant, now, span, here.silent),
    ]
    return render_to_string("admin/contacts/panel_charts.html", {"charts": drawn}, request)


def standing(request: HttpRequest) -> figures.Now:
    """How many contacts there are; counted once for all panels of a page."""
    if not hasattr(request, "_contacts_now"):
        request._contacts_now = figures.contacts_now()  # type: ignore[attr-defined]
    found: figures.Now = request._contacts_now  # type: ignore[attr-defined]
    return found


# --- what needs a person today ---


def needs(request: HttpRequest) -> Iterator[Need]:
    """Imports that wait, possible duplicates, addresses that bounced, invitations that ran out; four counts."""
    changes = is_allowed(request, CHANGE, "contacts")
    for state, import_words, button in IMPORTS:
        if link := address("admin:contacts_import_changelist", f"state__exact={state}"):
            count = Import.objects.filter(state=state).count() if changes else 0
            yield Need(count, some(count, *import_words), link, button, icon="upload_file")
    if link := address("admin:contacts_duplicatepair_changelist"):
        count = DuplicatePair.objects.filter(dismissed_at=None).count()
        words = some(count, "pair of contacts looks like one person", "pairs of contacts look like one person")
        yield Need(count, words, link, "Compare" if changes else "", icon="join_inner")
    count = bounced().count()
    words = some(count, "contact has an address that bounced", "contacts have an address that bounced")
    yield Need(count, words, address(CONTACTS, BOUNCED), "Correct" if changes else "", icon="mark_email_unread")
    link = address("admin:people", "invitations=late")
    if link and is_allowed(request, CHANGE, "people"):
        count = late_invitations().count()
        words = some(
            count, "invitation ran out before it was accepted", "invitations ran out before they were accepted"
        )
        yield Need(count, words, link, "Invite again", icon="mail_lock")


def bounced() -> "QuerySet[EmailAddress]":
    """Primary addresses from which mail came back, of people to whom there would be mail."""
    free = Contact.objects.filter(pk=OuterRef("contact"), do_not_contact=False)
    found: QuerySet[EmailAddress] = EmailAddress.objects.filter(is_primary=True, state=EmailAddress.State.BOUNCED)
    return found.filter(Exists(free))


IMPORTS = [
    (
        Import.State.READY,
        (
            "import waits for somebody to look at it and confirm",
            "imports wait for somebody to look at them and confirm",
        ),
        "Look at it",
    ),
    (
        Import.State.UPLOADED,
        (
            "file was uploaded, and its columns are not matched yet",
            "files were uploaded, their columns not matched yet",
        ),
        "Go on",
    ),
]
LISTS = "admin:contacts_contactlist_changelist"


def some(count: int, one: str, many: str) -> str:
    """The words after a number."""
    return one if count == 1 else many


# --- the first steps ---


def steps(request: HttpRequest) -> Iterator[Step]:
    """People first, then a list for them."""
    may = is_allowed(request, CHANGE, "contacts")
    importing = address("admin:contacts_import_add") or address("admin:contacts_import_changelist")
    yield Step(
        "Bring your people in",
        "Import a spreadsheet, or add the first contact by hand.",
        Contact.objects.exists(),
        (importing or address("admin:contacts_contact_add")) if may else "",
        "Import contacts" if importing else "Add a contact",
    )
    yield Step(
        "Make a list",
        "One for each newsletter, group or committee; then put people on it.",
        ContactList.objects.exists(),
        address("admin:contacts_contactlist_add") if may else "",
        "Make a list",
    )
