"""On the page of a gift that a fundraising page reported: what only a donation has (O12, O13)."""

from django.http import HttpRequest
from django.template.loader import render_to_string

from gifts.models import Donation, Gift
from gifts.money import money


def card(request: HttpRequest, gift: Gift) -> str:
    """Two queries for such a gift, none for others."""
    if gift.source != "donation_helper":
        return ""
    row = Donation.objects.filter(gift=gift).select_related("page").prefetch_related("identifiers").first()
    if row is None:
        return ""
    facts = [
        ("How often", (row.get_period_display() or "again and again").capitalize() if row.is_recurring else "Once"),
        ("Source", row.source_code), ("Website", row.website), ("Email that led there", row.email_referrer),
        ("Text message that led there", row.mobile_message_referrer),
        ("Called elsewhere", ", ".join(one.text for one in row.identifiers.all())), ("Identifier", str(row.uid)),
    ]  # fmt: skip
    context = {
        "row": row, "facts": [(name, value) for name, value in facts if value],
        "recipients": [(one["display_name"], money(one["amount"], row.currency)) for one in row.recipients],
    }  # fmt: skip
    return render_to_string("admin/gifts/donation_card.html", context, request)
