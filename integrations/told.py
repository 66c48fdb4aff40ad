"""What was sent to each service, and heard from there, in a contact's timeline (L30, D10)."""

from django.http import HttpRequest

from contacts.tenancy.roles import SEE, is_allowed
from contacts.timeline import Entry, Line, Subject, Window
from integrations.models import Delivery
from integrations.shown import show_deliveries
from integrations.words import NOTHING

AREA = "integrations"
TOLD = ("contact", "interaction")
TONES = {"done": "good", "refused": "bad", "heard": "", "retry": "warn", "unclear": "warn"}
ICONS = {"refused": "error", "heard": "hearing", "retry": "schedule_send", "unclear": "schedule_send"}


def read_deliveries(request: HttpRequest, subject: Subject, window: Window) -> list[Entry]:
    """An entry for each operation, with its cause and its answer."""
    if not is_allowed(request, SEE, AREA):
        return []
    rows = Delivery.objects.filter(kind__in=TOLD, subject_uid__in=subject.uids).select_related("connection")
    entries = []
    for shown in show_deliveries(window.of(rows)):
        row: Delivery = shown.row
        service = str(row.connection)
        heard = row.outcome == Delivery.Outcome.HEARD
        said = f"{service} {'said' if heard else 'answered'}: {row.answer}" if row.answer else ""
        line = Line(
            f"Heard from {service}" if heard else f"{shown.verb} at {service}",
            [(c.label, "" if c.before == NOTHING else c.before, c.after) for c in shown.changes],
            note=said, tone=TONES.get(row.outcome, ""), badge="" if heard else row.get_outcome_display(),
        )  # fmt: skip
        cause = f"because: {row.cause}" if row.cause and not heard else service
        icon = ICONS.get(row.outcome, "outgoing_mail")
        entries.append(Entry(row.at, "sent", icon, cause, [line], "", (window.number, row.pk)))
    return entries
