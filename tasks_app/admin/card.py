"""A contact's thank-yous and notes, on their page."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from contacts.models import Contact
from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from tasks_app.admin.forms import NoteForm
from tasks_app.admin.thank_you import standing_reasons, state_badges
from tasks_app.models import Note, NoteTemplate, ThankYou

LATEST = 5


def card(request: HttpRequest, contact: Contact) -> str:
    """What is to do, what was done, and how to thank them now; five queries."""
    if not is_allowed(request, SEE, "thanks"):
        return ""
    may = is_allowed(request, CHANGE, "thanks")
    rows = ThankYou.objects.filter(contact=contact).order_by("-pk").prefetch_related(standing_reasons())
    found = list(rows[: LATEST + 1])
    for row in found:
        row.contact = contact
    context = {
        "contact": contact, "may": may, "rows": [(row, state_badges(row)) for row in found[:LATEST]],
        "has_more": len(found) > LATEST, "notes": Note.objects.filter(contact=contact)[:LATEST],
        "all": f"{reverse('admin:tasks_app_thankyou_changelist')}?donor={contact.pk}",
        "form": NoteForm() if may and not contact.do_not_contact and NoteTemplate.objects.exists() else None,
    }  # fmt: skip
    return render_to_string("admin/thanks/card.html", context, request)
