"""Tasks and contacts as the API shows them: as many queries for 200 as for one."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from contacts.models import Contact, StaffMember
from contacts.tenancy.models import Tenant
from tasks_app.api.bodies import moment
from tasks_app.models import ThankYou
from tasks_app.reach import Reach, reach

WITH = ("reasons", "events", "contact__phone_numbers")


def loaded(rows: "QuerySet[ThankYou]") -> "QuerySet[ThankYou]":
    """With all that is shown but where the donors may be written to."""
    return rows.select_related("contact", "assignee__user").prefetch_related(*WITH)


def tasks(rows: Sequence[Any], tenant: Tenant) -> list[dict[str, Any]]:
    """Rows that are `loaded`."""
    where = reach([row.contact for row in rows])
    return [task(row, tenant, where[row.contact_id]) for row in rows]


def task(row: Any, tenant: Tenant, where: Reach) -> dict[str, Any]:
    """One task. Of somebody under Do Not Contact only that there is nothing to be done any more."""
    short = {"id": str(row.uid), "state": row.state, "may_be_sent": False, "changed_at": moment(row.updated_at)}
    if row.contact.do_not_contact:
        return short
    return short | {
        "may_be_sent": row.is_open,
        "kind": row.kind,
        "title": row.title,
        "sentence": row.sentence,
        "contact": contact(row.contact, where),
        "reasons": [reason(each, tenant) for each in row.reasons.all() if each.stands],
        "assignee": person(row.assignee),
        "due_on": row.due_on.isoformat(),
        "snoozed_until": row.snoozed_until.isoformat() if row.snoozed_until else None,
        "claimed_at": moment(row.claimed_at),
        "sent_at": moment(row.sent_at),
        "video_id": row.video_id,
        "video_link": row.video_link,
        "closing_note": row.closing_note,
        "events": [event(each) for each in row.events.all()],
        "created_at": moment(row.created_at),
    }


def reason(row: Any, tenant: Tenant) -> dict[str, Any]:
    """Why they are thanked: a gift, or a milestone."""
    return {
        "sentence": row.sentence, "instruction": row.instruction, "on": row.on.isoformat(),
        "amount": f"{row.amount:.2f}" if row.amount is not None else None, "currency": tenant.currency,
        "comment": row.comment,
    }  # fmt: skip


def event(row: Any) -> dict[str, Any]:
    """What the video app has said."""
    return {
        "event_id": row.event_id, "kind": row.kind, "at": moment(row.at), "video_id": row.video_id, "link": row.link,
        "seconds": row.seconds, "percent": row.percent, "text": row.text,
    }  # fmt: skip


def person(member: StaffMember | None) -> dict[str, str] | None:
    """Somebody who works there; None is the whole team."""
    return {"email": member.user.email, "name": str(member.user)} if member else None


def contacts(rows: Sequence[Contact]) -> list[dict[str, Any]]:
    """Contacts whose phone numbers are loaded."""
    where = reach(rows)
    return [contact(row, where[row.pk]) for row in rows]


def contact(row: Contact, where: Reach) -> dict[str, Any]:
    """A contact, by the primary number, and by the primary address if it may be written to."""
    address, why_not = where
    phone = next((str(each.number) for each in row.phone_numbers.all() if each.is_primary), "")  # type: ignore[attr-defined]
    return {
        "id": str(row.uid), "kind": row.kind, "name": str(row), "first_name": row.first_name,
        "last_name": row.last_name, "organization_name": row.organization_name,
        "custom_user_id": row.custom_user_id, "email": "" if why_not else address, "may_be_emailed": not why_not,
        "phone": "" if row.do_not_contact else phone, "do_not_contact": row.do_not_contact,
    }  # fmt: skip
