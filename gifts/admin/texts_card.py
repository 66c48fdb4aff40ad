"""On the page of a contact: to which numbers text messages may go, and who said so when (O6)."""

from django.http import HttpRequest
from django.template.loader import render_to_string

from contacts.models import Contact, MobileEvent

LATEST = 10


def card(request: HttpRequest, contact: Contact) -> str:
    """Nothing for somebody about whom nobody ever said anything; two queries at most."""
    events = list(MobileEvent.objects.filter(contact_uid=contact.uid).order_by("-at", "-pk")[:LATEST])
    if not events:
        return ""
    rows = [(row, row.takes_texts) for row in contact.phone_numbers.all()]
    return render_to_string("admin/gifts/texts_card.html", {"events": events, "rows": rows}, request)
