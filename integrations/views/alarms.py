"""The alarms of one service, now and in the past (L36)."""

from django.http import HttpRequest, HttpResponse

from integrations.models import Alarm
from integrations.troubles import Trouble
from integrations.views.page import connection_or_404, page_of, render, see_page


@see_page
def show(request: HttpRequest, provider: str) -> HttpResponse:
    """The newest first: what happened, what waited, who was told, and when it was over."""
    connection = connection_or_404(provider)
    page = page_of(request, Alarm.objects.filter(connection=connection))
    troubles = [Trouble(alarm, str(connection)) for alarm in page]
    title = f"Alarms of {connection}"
    return render(request, "alarms.html", title, connection=connection, page=page, troubles=troubles)
