"""A contact's milestones, on their page."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from contacts.models import Contact
from contacts.tenancy.roles import SEE, is_allowed
from gifts import streaks
from gifts.admin.reached import states
from gifts.models import MilestoneReached
from gifts.services import today

LATEST = 5


def card(request: HttpRequest, contact: Contact) -> str:
    """What they have reached, the latest first; nothing for those who have reached none. Four queries."""
    if not is_allowed(request, SEE, "rules"):
        return ""
    rows = MilestoneReached.objects.filter(contact=contact).select_related("rule").order_by("-reached_on", "-threshold")
    found = list(rows[: LATEST + 1])
    if not found:
        return ""
    year = today().year
    now, before = (streaks.lengths([contact.pk], last).get(contact.pk, 0) for last in (year, year - 1))
    context = {
        "rows": [(row, states(row)) for row in found[:LATEST]], "has_more": len(found) > LATEST, "contact": contact,
        "all": f"{reverse('admin:gifts_milestonereached_changelist')}?donor={contact.pk}",
        "streak": now if now > 1 else 0, "at_risk": before if not now and before > 1 else 0, "year": year,
    }  # fmt: skip
    return render_to_string("admin/gifts/milestone_card.html", context, request)
