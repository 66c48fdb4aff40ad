"""The setup page: one card for each integration."""

from django.http import HttpRequest, HttpResponse

from integrations.overview import overviews
from integrations.troubles import asleep, said_of
from integrations.views.page import render, see_page


@see_page
def show(request: HttpRequest) -> HttpResponse:
    """A card per provider, with its state in words and the buttons that fit it."""
    cards = overviews()
    standstill = said_of(asleep(one.connection.connected_at for one in cards if one.connection))
    return render(request, "setup.html", "Integrations", cards=cards, standstill=standstill)
