"""Verbs of thank-yous. Pages, receivers and the API of the video app call these; each is one transaction that writes
history and announces itself (`signals.py`). What cannot be done raises `ThankYouRefused` with a sentence for people.

The contract, for whoever builds on it:

- `ThankYou`: `uid` (public), `contact`, `state` (open, sent, done, dismissed, withdrawn), `assignee` (`StaffMember`;
  None is the whole team's), `due_on`, `claimed_at`, `snoozed_until`, `sent_at`, `how`, `video_id`, `video_link`,
  `closing_note` (why dismissed or withdrawn), `to_judge`, `created_at`, `updated_at` (moves with its reasons, too;
  index (tenant, updated_at, id)); `title`, `sentence` (D6), `reasons` (`Reason`: `sentence`, `instruction`, `on`,
  `amount`, `comment`, `gift`, `award`, `stands`, `withdrawn_why`), `events` (`VideoEvent`).
- `ThankYou.objects.for_videos()` leaves out everybody under Do Not Contact: list, read and claim from there.
- `claim(thank_you, member)`, `hand_over(thank_you, member or None)`, `snooze(thank_you, until or None)`,
  `dismiss(thank_you, reason)` (`ALREADY_THANKED` is one), `mark_thanked(thank_you, how)` by other means,
  `reopen(thank_you)`, `judged(thank_you)`, `ask_by_hand(contact, why, member)`. They return the row as it is now.
- `mark_sent(thank_you, video_id, link, at, event_id="")`, `record_watched(thank_you, at, event_id, seconds, percent)`,
  `record_replied(thank_you, at, event_id, text, link)` return `(VideoEvent, is_new)`. An event id counts once in an
  organization, in whatever order events come; one known for another thank-you or of another kind is refused.
- Signals: `task_created`, `task_changed` (`tenant_id`, `thank_you_pks`), `task_progressed` (`tenant_id`, `event_pks`).
- `asking.decide_for(source, decide)`: how a source's switch says task, note or nothing for its new gifts (D6).
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format

from contacts.models import Contact, Role, StaffMember
from contacts.tenancy.acting import actor
from gifts.services import today
from tasks_app import asking, signals
from tasks_app.asking import decide_for, thank_for_awards, thank_for_gifts
from tasks_app.models import Reason, ThanksSettings, ThankYou, VideoEvent

__all__ = [
    "ALREADY_THANKED", "ThankYouRefused", "ask_by_hand", "assign_many", "claim", "decide_for", "dismiss",
    "dismiss_many", "hand_over", "judged", "mark_sent", "mark_thanked", "record_replied", "record_watched", "reopen",
    "snooze", "thank_for_awards", "thank_for_gifts",
]  # fmt: skip

ALREADY_THANKED = "Already thanked"
State, Kind = ThankYou.State, VideoEvent.Kind


class ThankYouRefused(Exception):
    """It cannot be done, with a sentence that says why; nothing was changed."""


def locked(thank_you: ThankYou) -> ThankYou:
    """As it is now, locked until the transaction ends."""
    # Without joins: PostgreSQL reads the row anew after waiting for its lock, but not what was joined to it before.
    found: ThankYou | None = ThankYou.objects.select_for_update(no_key=True).filter(pk=thank_you.pk).first()
    if found is None:
        raise ThankYouRefused("This thank-you is not here any more. Nothing was changed.")
    return found


def locked_open(thank_you: ThankYou) -> ThankYou:
    """The same, if it is still to be done."""
    row = locked(thank_you)
    if not row.is_open:
        why = f" {row.closing_note}" if row.closing_note else ""
        raise ThankYouRefused(
            f"This thank-you is {row.get_state_display().lower()} already, so nothing was changed.{why}"
        )
    return row


# --- who does it, and when ---


def who_thanks() -> Any:
    """Everybody here who may do it."""
    rows = StaffMember.objects.filter(user__is_active=True).exclude(role=Role.VIEWER)
    return rows.select_related("user")


@transaction.atomic
def claim(thank_you: ThankYou, member: StaffMember) -> ThankYou:
    """Take it: “I do this one”. Of two at once one wins, and the other is told by whom it was taken."""
    row = locked_open(thank_you)
    if row.assignee_id not in (None, member.pk):
        since = f" since {date_format(timezone.localtime(row.claimed_at), 'M j, H:i')}" if row.claimed_at else ""
        raise ThankYouRefused(
            f"{row.assignee.user} has this one{since}. Ask them, or hand it over to yourself."  # type: ignore[union-attr]
        )
    if row.assignee_id is None or row.claimed_at is None:
        row.give_to(member)
        row.claimed_at, row.tell_assignee = timezone.now(), False
        row.save()
    return row


@transaction.atomic
def hand_over(thank_you: ThankYou, member: StaffMember | None) -> ThankYou:
    """Give it to somebody, or (None) back to the team."""
    row = locked_open(thank_you)
    if row.assignee_id != (member.pk if member else None):
        row.give_to(member)
        row.claimed_at = None
        row.tell_assignee = member is not None and not is_me(member)
        row.save()
        if row.tell_assignee:
            asking.ring("mail_assignments")
    return row


def is_me(member: StaffMember) -> bool:
    """Whether it is they who are doing this."""
    return member.user_id == getattr(actor().user, "pk", None)


@transaction.atomic
def snooze(thank_you: ThankYou, until: date | None) -> ThankYou:
    """Put it off to a day that is to come; None wakes it."""
    row = locked_open(thank_you)
    if until is not None and until <= today():
        raise ThankYouRefused("Choose a day that is still to come. Nothing was changed.")
    row.snoozed_until = until
    row.save()
    return row


# --- how it ends ---


@transaction.atomic
def dismiss(thank_you: ThankYou, reason: str = ALREADY_THANKED) -> ThankYou:
    """It is not going to be done, and why."""
    row = locked_open(thank_you)
    if not reason.strip():
        raise ThankYouRefused("Say why, in a few words. Nothing was changed.")
    close(row, State.DISMISSED, closing_note=reason.strip()[:400])
    return row


@transaction.atomic
def mark_thanked(thank_you: ThankYou, how: str = "") -> ThankYou:
    """Somebody thanked them by other means: a call, a letter, over lunch."""
    row = locked_open(thank_you)
    close(row, State.DONE, how=(how.strip() or "Other means")[:100], sent_at=timezone.now())
    return row


@transaction.atomic
def reopen(thank_you: ThankYou) -> ThankYou:
    """Dismissed or ticked off by mistake: to be done again."""
    row = locked(thank_you)
    if row.state not in (State.DISMISSED, State.DONE) or row.events.exists():  # type: ignore[attr-defined]
        raise ThankYouRefused("Only what was dismissed, or was thanked by other means, can be opened again.")
    first = row.reasons.standing().order_by("pk").select_related("award").first()  # type: ignore[attr-defined]
    rule_pk = first.award.rule_id if first and first.award else None
    row.open_key = asking.open_key(row.contact, rule_pk, ThanksSettings.now())
    row.state, row.sent_at, row.how, row.closing_note = State.OPEN, None, "", ""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise ThankYouRefused(
            f"There is another open thank-you for {row.contact} by now. Nothing was changed."
        ) from None
    return row


@transaction.atomic
def judged(thank_you: ThankYou) -> ThankYou:
    """Somebody has looked at what happened after it was sent."""
    row = locked(thank_you)
    row.to_judge = ""
    row.save()
    return row


def close(row: ThankYou, state: str, **values: Any) -> None:
    """No longer to be done: another may be open for the same donor."""
    row.state, row.open_key, row.tell_assignee = state, "", False
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


# --- by hand, and many at once ---


@transaction.atomic
def ask_by_hand(contact: Contact, why: str, member: StaffMember | None = None) -> ThankYou:
    """Somebody wants this contact to be thanked. It joins the open thank-you if there is one."""
    if not why.strip():
        raise ThankYouRefused("Say what they are to be thanked for.")
    reason = Reason(sentence=why.strip()[:300], on=today())
    asked = asking.Asked()
    asking.ask([asking.Wish(contact, asking.TASK, reason, None, member)], ThanksSettings.now(), asked)
    return (asked.created or asked.joined)[0]


def still_open(pks: Collection[int]) -> Any:
    """Those of them that are open, locked until the transaction ends: what the video app reports in this moment is not
    written over."""
    rows = ThankYou.objects.open().filter(pk__in=pks).order_by("contact_id", "pk").select_for_update(no_key=True)
    return ThankYou.objects.filter(pk__in=list(rows.values_list("pk", flat=True)))


@transaction.atomic
def assign_many(pks: Collection[int], member: StaffMember | None) -> int:
    """Give these to somebody, or back to the team. Returns of how many that is so now; others were not open."""
    rows = still_open(pks)
    tell = member is not None and not is_me(member)
    moved = rows.exclude(assignee=member) if member else rows.exclude(assignee=None)
    now = timezone.now()
    here = rows.count()
    name = str(member.user)[:150] if member else ""
    if moved.update(assignee=member, for_whom=name, claimed_at=None, tell_assignee=tell, updated_at=now) and tell:
        asking.ring("mail_assignments")
    return int(here)


@transaction.atomic
def dismiss_many(pks: Collection[int], reason: str = ALREADY_THANKED) -> int:
    """Dismiss these, as far as they are open. Returns how many."""
    if not reason.strip():
        raise ThankYouRefused("Say why, in a few words. Nothing was changed.")
    done: int = still_open(pks).update(
        state=State.DISMISSED, open_key="", tell_assignee=False, closing_note=reason.strip()[:400],
        updated_at=timezone.now(),
    )  # fmt: skip
    return done


# --- what the video app says ---


def mark_sent(
    thank_you: ThankYou, video_id: str = "", link: str = "", at: datetime | None = None, event_id: str = ""
) -> tuple[VideoEvent, bool]:
    """A video was sent. Without an id of its own the event is known by the video's."""
    event_id = event_id or f"sent:{thank_you.uid}:{video_id}"
    return record(thank_you, Kind.SENT, event_id, at, video_id=video_id, link=link)


def record_watched(
    thank_you: ThankYou, at: datetime | None = None, event_id: str = "", seconds: int | None = None,
    percent: int | None = None,
) -> tuple[VideoEvent, bool]:  # fmt: skip
    """The donor watched it: so many seconds, or so much of it."""
    return record(thank_you, Kind.WATCHED, event_id, at, seconds=seconds, percent=percent)


def record_replied(
    thank_you: ThankYou, at: datetime | None = None, event_id: str = "", text: str = "", link: str = ""
) -> tuple[VideoEvent, bool]:
    """The donor replied."""
    return record(thank_you, Kind.REPLIED, event_id, at, text=text, link=link)


@transaction.atomic
def record(
    thank_you: ThankYou, kind: str, event_id: str, at: datetime | None, **values: Any
) -> tuple[VideoEvent, bool]:
    """Count an event once; the thank-you's state follows from all its events, not from their order."""
    if not event_id:
        raise ThankYouRefused("An event needs an id of its own, so that it is counted once.")
    row = locked(thank_you)
    event = VideoEvent.objects.filter(event_id=event_id).first()
    if event is None:
        event = VideoEvent(thank_you=row, kind=kind, event_id=event_id, at=at or timezone.now(), **values)
        try:
            with transaction.atomic():
                event.save()
        except IntegrityError:  # the same id at the same moment, for another thank-you
            event = VideoEvent.objects.get(event_id=event_id)
        else:
            settle(row)
            signals.task_progressed.send(VideoEvent, tenant_id=row.tenant_id, event_pks=[event.pk])
            return event, True
    if (event.thank_you_id, event.kind) != (row.pk, kind):
        raise ThankYouRefused("An event with that id was reported before, and it was another one.")
    return event, False


def settle(row: ThankYou) -> None:
    """Sent, and done once somebody watched or replied. What nobody expected is flagged for a person to judge."""
    events = list(row.events.order_by("at", "pk"))  # type: ignore[attr-defined]
    sent = next((event for event in events if event.kind == Kind.SENT), None)
    before = row.state
    row.state = State.DONE if any(event.kind != Kind.SENT for event in events) else State.SENT
    if sent:
        row.sent_at, row.video_id, row.video_link, row.how = sent.at, sent.video_id, sent.link, "Video"
    if before in (State.DISMISSED, State.WITHDRAWN):
        row.to_judge = f"It was {before} before, and the video app says that a video was sent all the same."
    elif sent and row.contact.do_not_contact and before == State.OPEN:
        row.to_judge = f"{row.contact} is under Do Not Contact, and the video app says that a video was sent."[:400]
    row.open_key, row.tell_assignee = "", False
    is_told = row.recorded_values() != row._loaded  # saving it tells everybody
    row.save()
    if not is_told:
        asking.touch([row])
