"""A contact's thank-yous and notes, on their page."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from contacts.models import Contact
from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from tasks_app import reach
from tasks_app.admin.forms import NoteForm
from tasks_app.admin.thank_you import standing_reasons, state_badges
from tasks_app.models import Note, NoteTemplate, ThankYou

LATEST = 5


def card(request: HttpRequest, contact: Contact) -> str:
    """What is to do, what was done, and how to thank them now, or why no note may be sent."""
    if not is_allowed(request, SEE, "thanks"):
        return ""
    may = is_allowed(request, CHANGE, "thanks")
    rows = ThankYou.objects.filter(contact=contact).order_by("-pk").prefetch_related(standing_reasons())
    found = list(rows[: LATEST + 1])
    for row in found:
        row.contact = contact
    may_write = may and NoteTemplate.objects.exists()
    why_not = reach.why_not(contact)[1] if may_write else ""
    context = {
        "contact": contact, "may": may, "rows": [(row, state_badges(row)) for row in found[:LATEST]],
        "has_more": len(found) > LATEST, "notes": Note.objects.filter(contact=contact)[:LATEST],
        "all": f"{reverse('admin:tasks_app_thankyou_changelist')}?donor={contact.pk}",
        "form": NoteForm() if may_write and not why_not else None, "why_not": why_not,
    }  # fmt: skip
    return render_to_string("admin/thanks/card.html", context, request)
