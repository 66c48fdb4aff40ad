"""The history of one contact or list at one service, a page at a time: the rest of what its card begins (L30)."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from contacts.models import Contact, ContactList
from integrations.cards import history_page
from integrations.views.page import connection_or_404, see_page


@see_page
def more(request: HttpRequest, provider: str, uid: Any) -> HttpResponse:
    """The next page, as a part of the card."""
    connection = connection_or_404(provider)
    if not (Contact.objects.filter(uid=uid).exists() or ContactList.objects.filter(uid=uid).exists()):
        raise Http404
    page = request.GET.get("page", "1")
    context = history_page(connection, uid, int(page) if page.isdecimal() else 1)
    return render(request, "integrations/parts/history.html", context)
