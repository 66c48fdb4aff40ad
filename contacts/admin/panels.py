"""What the first page says about contacts: how many there are, whom lists do not reach, and what to do next."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from contacts.models import Contact, ContactList, EmailAddress
from contacts.tenancy.roles import CHANGE, is_allowed


def contacts_panel(request: HttpRequest) -> str:
    """Counts that lead to the contacts they count."""
    contacts = reverse("admin:contacts_contact_changelist")
    bounced = EmailAddress.objects.filter(is_primary=True, state=EmailAddress.State.BOUNCED)
    total = Contact.objects.count()
    tiles = [
        (total, "contact" if total == 1 else "contacts", contacts),
        (ContactList.objects.count(), "lists and committees", reverse("admin:contacts_contactlist_changelist")),
        (
            Contact.objects.filter(do_not_contact=True).count(),
            "marked Do Not Contact",
            f"{contacts}?do_not_contact=yes",
        ),
        (bounced.count(), "whose email bounced", f"{contacts}?email=bounced"),
    ]
    context = {
        "tiles": tiles,
        "is_empty": not total,
        "has_no_list": total and not tiles[1][0],
        "may_add": is_allowed(request, CHANGE, "contacts"),
    }
    return render_to_string("admin/contacts/panel.html", context, request)
