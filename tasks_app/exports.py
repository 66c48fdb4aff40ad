"""Thank-yous and notes as files: their columns, and how a page of them is read."""

from typing import Any

from django.db.models import Prefetch

from contacts.exporting.columns import Column, local_minute
from contacts.exporting.sources import add_source
from gifts.exports import OfDonors, of_donor
from tasks_app.models import Note, Reason, ThankYou


class OfThanks(OfDonors):
    """Rows with a donor and reasons."""

    def prepared(self, rows: Any) -> Any:
        return rows.prefetch_related(Prefetch("reasons", Reason.objects.standing().order_by("pk"), to_attr="standing"))


def why(row: Any) -> str:
    """Its reasons, as one text."""
    return " ".join(reason.sentence for reason in row.standing)


class ThankYous(OfThanks):
    """Thank-yous, as the queue shows them."""

    kind, model, noun = "thank_yous", ThankYou, ("thank-you", "thank-yous")

    def columns(self) -> list[Column]:
        group = "The thank-you"
        return [
            Column("Why", group, why),
            Column("State", group, lambda row: row.get_state_display()),
            Column("For", group, lambda row: row.for_whom or "The team"),
            Column("Due", group, lambda row: row.due_on.isoformat()),
            Column("Put off until", group, lambda row: row.snoozed_until.isoformat() if row.snoozed_until else "",
                   is_usual=False),
            Column("Thanked by", group, lambda row: row.how),
            Column("Sent", group, lambda row: local_minute(row.sent_at) if row.sent_at else ""),
            Column("Video", group, lambda row: row.video_link, is_usual=False),
            Column("Why dismissed or withdrawn", group, lambda row: row.closing_note),
            Column("To look at", group, lambda row: row.to_judge, is_usual=False),
            *of_donor(),
        ]  # fmt: skip


class Notes(OfThanks):
    """Notes, as their page shows them."""

    kind, model, noun = "notes", Note, ("note", "notes")

    def columns(self) -> list[Column]:
        group = "The note"
        return [
            Column("Why", group, why),
            Column("State", group, lambda row: row.get_state_display()),
            Column("Sent to", group, lambda row: row.address),
            Column("Sent", group, lambda row: local_minute(row.sent_at) if row.sent_at else ""),
            Column("Subject", group, lambda row: row.subject),
            Column("Text", group, lambda row: row.body, is_usual=False),
            Column("What happened", group, lambda row: row.why),
            *of_donor(),
        ]  # fmt: skip


def connect() -> None:
    """Called once when the app is ready."""
    add_source(ThankYous, "Thank-yous")
    add_source(Notes, "Notes")
