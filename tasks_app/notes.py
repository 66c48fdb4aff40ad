"""Send notes (T2): row by row, each claimed and marked as being sent before the mail server is asked, so that no donor
gets one twice. Whether they may be written to is looked at in that moment, not when the note was made.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from email.utils import formataddr
from smtplib import SMTPServerDisconnected
from time import monotonic

from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, Min, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format

from contacts.models import Contact
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import current_tenant, in_tenant
from gifts.models import Giving, Reassessment
from gifts.money import money
from tasks_app import words
from tasks_app.merge_fields import filled
from tasks_app.models import Note, NoteTemplate, Reason
from tasks_app.reach import why_not

log = logging.getLogger(__name__)

TURN_SECONDS = 15.0
LOST = timedelta(minutes=10)  # a worker that says nothing for so long was killed while the mail server was asked
NOBODY_KNOWS = "Nobody knows whether it went out: the work was interrupted. Ask them, or send it again."
NO_ANSWER = "The mail server fell silent, so nobody knows whether it went out. Ask them, or send it again."
TWICE = timedelta(minutes=5)  # the same by hand within that time was pressed twice
USUAL_NAME = "Thank you"
USUAL_SUBJECT = "Thank you, {{ first_name }}"
USUAL_BODY = (
    "Dear {{ first_name }},\n\nthank you for your gift of {{ amount }}. It makes our work possible.\n\n"
    "With gratitude,\n{{ organization }}\n"
)
EMPTY_AMOUNT = "your gifts"
NAMELESS = "friend"  # “Dear friend”: nobody is called by words that stand for a missing name


class NoteRefused(Exception):
    """It cannot be done, with a sentence that says why; nothing was changed."""


def default_template() -> NoteTemplate:
    """The organization's first template, or one that is made now."""
    found: NoteTemplate | None = NoteTemplate.objects.order_by("pk").first()
    if found is None:
        found, _ = NoteTemplate.objects.get_or_create(
            name=USUAL_NAME, defaults={"subject": USUAL_SUBJECT, "body": USUAL_BODY}
        )
    return found


# --- what it says ---


def values_for(contact: Contact, reason: Reason | None, giving: Giving | None) -> dict[str, str]:
    """What the merge fields are for this contact."""
    gift, tenant = (reason.gift if reason else None), current_tenant()
    name = str(contact) if contact.has_name else NAMELESS
    amount, day = (reason.amount, reason.on) if reason and reason.amount is not None else (None, None)
    sentence = reason.sentence if reason and not reason.is_by_hand else ""
    if day is None and giving is not None and giving.last_on:  # by hand: their last gift is meant
        amount, day = giving.last_amount, giving.last_on
        sentence = sentence or words.made(contact, amount)
    return {
        "first_name": contact.first_name or name,
        "last_name": contact.last_name,
        "full_name": name,
        "amount": money(amount) if amount is not None else EMPTY_AMOUNT,
        "date": date_format(day, "F j, Y") if day else "",
        "campaign": gift.campaign if gift else "",
        "reason": sentence,
        "total": money(giving.total if giving else 0),
        "gifts": f"{giving.number:,}" if giving else "0",
        "organization": str(tenant or ""),
    }


def words_for(template: NoteTemplate, values: Mapping[str, str]) -> tuple[str, str]:
    """Subject and text; a subject is one line."""
    return " ".join(filled(template.subject, values).split())[:300], filled(template.body, values)


def newest_reason(note: Note) -> Reason | None:
    """The reason whose gift it names: the last that stands."""
    rows = Reason.objects.standing().filter(note=note).select_related("gift")
    found: Reason | None = rows.order_by("-on", "-pk").first()
    return found


# --- sending ---


def tenants() -> list[int]:
    """The organizations with notes that are due, asked across all of them by the sweep."""
    rows = Note.objects.with_scopes_disabled().order_by().filter(state=Note.State.WAITING).values("tenant_id")
    found = set(rows.annotate(due=Min("due_at")).filter(due__lte=timezone.now()).values_list("tenant_id", flat=True))
    lost = Note.objects.with_scopes_disabled().order_by().filter(
        state=Note.State.MAYBE, began_at__lt=timezone.now() - LOST
    )  # fmt: skip
    return sorted(found | set(lost.values_list("tenant_id", flat=True)))


def turn(tenant_pk: int, seconds: float = TURN_SECONDS) -> bool:
    """Send for some seconds. Returns whether there is more to do."""
    tenant = Tenant.objects.filter(pk=tenant_pk).first()
    if tenant is None:
        return False
    with in_tenant(tenant):
        own_up()
        until = monotonic() + seconds
        while (note := claimed()) is not None:
            if note.state == Note.State.MAYBE:
                send(note)
            if monotonic() >= until:
                return True
    return False


def own_up() -> None:
    """Notes that a killed worker was sending: nobody knows, so nobody repeats it but a person."""
    rows = Note.objects.filter(state=Note.State.MAYBE, began_at__lt=timezone.now() - LOST)
    rows.update(state=Note.State.FAILED, why=NOBODY_KNOWS)


@transaction.atomic
def claimed() -> Note | None:
    """The next that is due, ready to be sent and marked as such, or put aside because it may not be sent. The
    transaction ends before the mail server is asked. One for a gift waits until its donor's milestones were looked at:
    what the gift has reached joins it."""
    now = timezone.now()
    of_gift = Exists(Reason.objects.standing().filter(note=OuterRef("pk"), gift_uid__isnull=False))
    to_look_at = Exists(Reassessment.objects.filter(contact=OuterRef("contact"), due_at__lte=now))
    rows = Note.objects.filter(~(of_gift & to_look_at), state=Note.State.WAITING, due_at__lte=now)
    ready = rows.order_by("due_at", "pk").select_for_update(skip_locked=True, of=("self",))
    note: Note | None = ready.select_related("template").first()
    if note is None:
        return None
    contact = Contact.objects.get(pk=note.contact_id)
    note.address, note.why = why_not(contact)
    if note.why:
        note.state = Note.State.HELD
    else:
        giving = Giving.objects.filter(contact=contact).first()
        template = note.template or default_template()
        note.subject, note.body = words_for(template, values_for(contact, newest_reason(note), giving))
        note.state, note.began_at = Note.State.MAYBE, timezone.now()
    note.save()
    return note


def send(note: Note) -> None:
    """Hand it to the mail server, and note what came of it."""
    problem = hand_over(note)
    with transaction.atomic():
        row = Note.objects.select_for_update(of=("self",)).filter(pk=note.pk).first()
        if row is None or row.state != Note.State.MAYBE:
            return
        row.state = Note.State.FAILED if problem else Note.State.SENT
        row.why = problem or row.why  # a gift that was refunded in this moment stands there
        row.sent_at = None if problem else timezone.now()
        row.save()


def hand_over(note: Note) -> str:
    """One message. Returns what the mail server had against it, or ""."""
    tenant = current_tenant()
    sender = None
    if tenant and tenant.from_email:
        sender = formataddr((tenant.from_name or tenant.name, tenant.from_email))
    try:
        EmailMessage(note.subject, note.body, sender, [note.address]).send()
    except (TimeoutError, SMTPServerDisconnected) as error:  # it may have gone out before the line went dead
        log.warning("Nobody knows whether a note was sent: %s", type(error).__name__)
        return NO_ANSWER
    except (OSError, ValueError, ImproperlyConfigured) as error:
        log.warning("A note could not be sent: %s", type(error).__name__)
        return f"The mail server did not take it: {error}"[:400]
    return ""


@transaction.atomic
def send_again(note: Note) -> Note:
    """Try once more, by hand; whether they may be written to is looked at again then."""
    row: Note | None = Note.objects.select_for_update(of=("self",)).filter(pk=note.pk).first()
    if row is None or row.state not in (Note.State.FAILED, Note.State.HELD):
        raise NoteRefused("Only a note that was not delivered can be sent again. Nothing was changed.")
    row.state, row.due_at, row.why = Note.State.WAITING, timezone.now(), ""
    row.save()
    ring()
    return row


@transaction.atomic
def stop(note: Note) -> Note:
    """Do not send it, as long as it was not."""
    row: Note | None = Note.objects.select_for_update(of=("self",)).filter(pk=note.pk).first()
    if row is None or row.state != Note.State.WAITING:
        raise NoteRefused("It is not waiting any more, so nothing was changed.")
    row.state, row.why = Note.State.WITHDRAWN, "Stopped by hand."
    row.save()
    return row


@transaction.atomic
def write(contact: Contact, template: NoteTemplate, why: str, at_once: bool = False) -> Note:
    """A note by hand to one contact; pressed twice, it is one. Raises `NoteRefused`, also for whom none may be sent
    to now."""
    contact = Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
    if refusal := why_not(contact)[1]:
        raise NoteRefused(f"{refusal} So no note is sent to them.")
    a_moment_ago = Q(state=Note.State.SENT, sent_at__gte=timezone.now() - TWICE)
    same = Q(state__in=[Note.State.WAITING, Note.State.MAYBE]) | a_moment_ago
    if Note.objects.filter(same, contact=contact, template=template).exists():
        raise NoteRefused(f"This note to {contact} is on its way already, so no second one was made.")
    due_at = timezone.now() + timedelta(hours=0 if at_once else template.delay_hours)
    note = Note(contact=contact, template=template, due_at=due_at)
    note.save()
    Reason.objects.create(note=note, sentence=why[:300], on=timezone.localtime().date())
    ring()
    return note


def ring() -> None:
    """Have somebody send, once this transaction is committed."""
    from tasks_app.asking import ring as bell

    bell("send_notes")
