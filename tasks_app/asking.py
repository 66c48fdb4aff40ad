"""A gift or a milestone asks for thanks: it joins the open thank-you of its donor, or makes one; or it makes a note.

Everything is in the transaction of the gift or milestone, with as many queries for 500 of them as for one. Two workers
never make two open ones: the database lets one in, and the other joins it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from contacts.models import Contact, HistoryEntry, StaffMember
from contacts.models.recorded import chunks
from contacts.tenancy.acting import actor
from contacts.tenancy.models import Role
from contacts.tenancy.walls import TenantQuerySet, current_tenant
from gifts.due import begin_of
from gifts.milestone_words import instruction
from gifts.models import Gift, MilestoneReached
from gifts.services import today
from tasks_app import signals, words
from tasks_app.models import Note, Reason, ThanksSettings, ThankYou

Do, Gifts, One = ThanksSettings.Do, ThanksSettings.Gifts, ThanksSettings.One
TASK, NOTE, NOTHING = Do.TASK.value, Do.NOTE.value, "nothing"
TRIES = 5

# {source of gifts: given a gift, TASK, NOTE or NOTHING; None leaves it to the organization's settings}
_deciders: dict[str, Callable[[Any], str | None]] = {}


def decide_for(source: str, decide: Callable[[Any], str | None]) -> None:
    """Have gifts of this source thanked as `decide(gift)` says: how a switch of an integration is heard (D6)."""
    _deciders[source] = decide


@dataclass(slots=True)
class Wish:
    """One reason to thank somebody, before it is a row."""

    contact: Contact
    do: str
    reason: Reason
    rule_pk: int | None = None
    assignee: StaffMember | None = None

    def key(self, settings: ThanksSettings) -> str:
        """Which open thank-you it belongs to."""
        return open_key(self.contact, self.rule_pk, settings)


def open_key(contact: Contact, rule_pk: int | None, settings: ThanksSettings) -> str:
    """Of what only one may be open: the donor, or the donor under one rule."""
    return str(contact.uid) if settings.one_per == One.DONOR else f"{contact.uid}:{rule_pk or 'gifts'}"


@dataclass(slots=True)
class Asked:
    """What came of it."""

    created: list[ThankYou] = field(default_factory=list)
    joined: list[ThankYou] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def thank_for_gifts(gifts: Iterable[Gift], do: str = "") -> Asked:
    """Ask for thanks for these gifts (with `contact` loaded), as the settings or their source say, or as `do` says.
    Gifts that were thanked for already, or that are history, corrections or nothing, ask for none."""
    settings, asked = ThanksSettings.now(), Asked()
    for part in chunks(gifts):
        wishes = [
            Wish(gift.contact, what, for_gift(gift))
            for gift in part
            if gift.stands and gift.is_one and gift.net > 0 and not gift.is_history and gift.replaces_id is None
            and (what := do or decided(gift, settings)) != NOTHING
        ]  # fmt: skip
        ask(wishes, settings, asked)
    return asked


def thank_for_awards(awards: Iterable[MilestoneReached]) -> Asked:
    """Ask for thanks for these milestones (with `rule`, `contact` and `gift` loaded), as their rules say."""
    settings, asked = ThanksSettings.now(), Asked()
    for part in chunks(awards):
        ask([wish_for(award) for award in part], settings, asked)
    return asked


def wish_for(award: MilestoneReached) -> Wish:
    """What a milestone asks for."""
    rule = award.rule
    member = rule.assignee if rule.assignee and rule.assignee.role != Role.VIEWER else None
    return Wish(award.contact, rule.action, for_award(award), rule.pk, member)


def decided(gift: Gift, settings: ThanksSettings) -> str:
    """How to thank for a gift: its source's word counts, then the organization's."""
    decide = _deciders.get(gift.source)
    if decide is not None and (said := decide(gift)) is not None:
        return said
    wanted = settings.new_gifts == Gifts.EVERY or (settings.new_gifts == Gifts.MINIMUM and gift.net >= settings.minimum)
    return settings.gift_action if wanted else NOTHING


def for_gift(gift: Gift) -> Reason:
    """The reason that a gift gives, unsaved (D6: its date, amount and comment)."""
    return Reason(
        gift=gift, gift_uid=gift.uid, sentence=words.for_gift(gift.contact, gift)[:300], on=gift.received_on,
        amount=gift.net, comment=gift.comment,
    )  # fmt: skip


def for_award(award: MilestoneReached) -> Reason:
    """The reason that a milestone gives, unsaved."""
    gift = award.gift
    return Reason(
        award=award, gift=gift, sentence=words.for_award(award)[:300], instruction=instruction(award.rule, award)[:500],
        on=gift.received_on if gift else award.reached_on, amount=gift.net if gift else None,
        comment=gift.comment if gift else "",
    )  # fmt: skip


# --- making rows of wishes ---


def ask(wishes: Sequence[Wish], settings: ThanksSettings, asked: Asked) -> None:
    """At most 500. Should somebody else ask for the same donor in this moment, look again."""
    if not wishes:
        return
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                found = Asked()
                new = not_thanked_yet(wishes)
                make_notes([wish for wish in new if wish.do == NOTE], settings, found)
                make_tasks([wish for wish in new if wish.do == TASK], settings, found)
            break
        except IntegrityError:
            if attempt == TRIES - 1:
                raise
    asked.created += found.created
    asked.joined += found.joined
    asked.notes += found.notes


def not_thanked_yet(wishes: Sequence[Wish]) -> list[Wish]:
    """Those whose gift or milestone is no reason yet, each once. Two queries."""
    standing, known = Reason.objects.standing().order_by(), set()
    if uids := {wish.reason.gift_uid for wish in wishes if wish.reason.gift_uid}:
        known |= {("gift", uid) for uid in standing.filter(gift_uid__in=uids).values_list("gift_uid", flat=True)}
    if awards := {wish.reason.award_id for wish in wishes if wish.reason.award_id}:
        known |= {("award", pk) for pk in standing.filter(award__in=awards).values_list("award_id", flat=True)}
    found: dict[Any, Wish] = {}
    for number, wish in enumerate(wishes):
        wish.reason.pk, wish.reason._state.adding = None, True  # of an attempt before
        wish.reason.thank_you = wish.reason.note = None
        what, which = wish.reason.known_as
        if which is None:  # asked for by hand
            found["by hand", number] = wish
        elif (what, which) not in known:
            found.setdefault((what, which), wish)
    return list(found.values())


def make_tasks(wishes: list[Wish], settings: ThanksSettings, asked: Asked) -> None:
    """Join the open thank-yous, or make them; reasons last, and then everybody is told."""
    if not wishes:
        return
    wishes = sorted(wishes, key=lambda wish: wish.contact.pk)  # in one order, so that two workers never wait in a ring
    keys = {wish.key(settings) for wish in wishes}
    rows = ThankYou.objects.open().filter(open_key__in=keys).select_related("contact").order_by("contact_id", "pk")
    here = {row.open_key: row for row in rows.select_for_update(no_key=True, of=("self",))}
    rest = resting([wish for wish in wishes if wish.key(settings) not in here], settings)
    wishes = [wish for wish in wishes if wish.contact.pk not in rest or not wish.reason.gift_uid]
    due_on = today() + timedelta(days=settings.due_days)
    due: dict[str, Any] = {}  # by open key; nobody is to be thanked before the day of the gift (M9)
    for wish in wishes:
        day = max(due_on, wish.reason.on)
        due[wish.key(settings)] = min(day, due.get(wish.key(settings), day))
    new: dict[str, ThankYou] = {}
    for wish in wishes:
        key = wish.key(settings)
        row = here.get(key) or new.get(key)
        if row is None:
            row = new[key] = ThankYou(contact=wish.contact, due_on=due[key], open_key=key)
        give_to(row, wish.assignee)
        wish.reason.thank_you = row
    ThankYou.objects.bulk_create(new.values())
    Reason.objects.bulk_create([wish.reason for wish in wishes])
    joined = {row.pk: row for wish in wishes if (row := wish.reason.thank_you) and row.open_key in here}
    for row in joined.values():
        give_due(row, due[row.open_key])
    touch(list(joined.values()), ("assignee", "for_whom", "due_on", "snoozed_until", "tell_assignee"))
    if new:
        tenant_id = next(iter(new.values())).tenant_id
        signals.task_created.send(ThankYou, tenant_id=tenant_id, thank_you_pks=[row.pk for row in new.values()])
    asked.created += new.values()
    asked.joined += joined.values()
    if any(row.tell_assignee for row in (*new.values(), *joined.values())):
        ring("mail_assignments")


def give_to(row: ThankYou, member: StaffMember | None) -> None:
    """Somebody whom a rule names, where nobody has it yet."""
    if row.assignee_id is None and member is not None:
        row.give_to(member)
        row.tell_assignee = member.user_id != getattr(actor().user, "pk", None)


def give_due(row: ThankYou, due_on: Any) -> None:
    """A further reason wakes what was put off beyond the day that it would be due by itself."""
    row.due_on = min(row.due_on, due_on)
    if row.snoozed_until and row.snoozed_until > due_on:
        row.snoozed_until = due_on


def touch(rows: Sequence[ThankYou], names: Sequence[str] = ()) -> None:
    """These have changed, be it only in their reasons: `changed since` finds them, and listeners hear of each."""
    if not rows:
        return
    told = {row.pk for row in rows if names and row.recorded_values() != row._loaded}
    if told or (names and any(row.tell_assignee for row in rows)):
        ThankYou.objects.bulk_update(rows, names)  # this tells of those that it changes
    TenantQuerySet.update(
        ThankYou.objects.filter(pk__in=[row.pk for row in rows]).order_by(), updated_at=timezone.now()
    )
    if others := [row.pk for row in rows if row.pk not in told]:
        signals.task_changed.send(ThankYou, tenant_id=rows[0].tenant_id, thank_you_pks=others)


def resting(wishes: list[Wish], settings: ThanksSettings) -> set[int]:
    """Donors who were thanked a short while ago, if the organization leaves people in peace then: no further gift of
    theirs makes a thank-you, and their history says so."""
    of_gifts = [wish for wish in wishes if wish.reason.gift_uid]
    if not settings.cool_down_days or not of_gifts:
        return set()
    since, pks = timezone.now() - timedelta(days=settings.cool_down_days), {wish.contact.pk for wish in of_gifts}
    thanked = set(
        ThankYou.objects.filter(contact__in=pks, sent_at__gte=since).order_by().values_list("contact_id", flat=True)
    )
    HistoryEntry.objects.bulk_create(
        HistoryEntry.by_actor(
            verb=HistoryEntry.Verb.ADDED, what="left in peace", contact_uid=wish.contact.uid,
            label=f"Thanked in the last {settings.cool_down_days} days. {wish.reason.sentence}"[:250],
        )
        for wish in of_gifts if wish.contact.pk in thanked
    )  # fmt: skip
    return thanked


def make_notes(wishes: list[Wish], settings: ThanksSettings, asked: Asked) -> None:
    """A note for each donor and rule; where there is to be one for each donor, a milestone joins the waiting note for
    the gift that reached it. None for whoever must not be contacted, and their history says so (T2)."""
    from tasks_app.notes import default_template

    if not wishes:
        return
    written: list[Wish] = []
    never: list[Wish] = []
    for wish in wishes:
        (never if wish.contact.do_not_contact else written).append(wish)
    HistoryEntry.objects.bulk_create(
        HistoryEntry.by_actor(
            verb=HistoryEntry.Verb.ADDED, what="note not made", contact_uid=wish.contact.uid,
            label=f"{wish.contact} is under Do Not Contact. {wish.reason.sentence}"[:250],
        )
        for wish in never
    )  # fmt: skip
    if not written:
        return
    template = settings.template or default_template()
    new: dict[str, Note] = {}
    here = waiting_notes(written, template) if settings.one_per == One.DONOR else {}
    for wish in written:
        key = open_key(wish.contact, wish.rule_pk, settings)
        wish.reason.note = here.get((wish.contact.pk, wish.reason.gift_id))
        if wish.reason.note is None:
            note = new.setdefault(key, Note(contact=wish.contact, template=template, due_at=timezone.now()))
            note.due_at = max(note.due_at, note_due(template, wish.reason.on))
            wish.reason.note = note
    Note.objects.bulk_create(new.values())
    Reason.objects.bulk_create([wish.reason for wish in written])
    asked.notes += new.values()
    ring("send_notes")


def note_due(template: Any, on: date) -> datetime:
    """When a note for a gift of this day goes out: after the template's delay, and not before that day."""
    return max(
        timezone.now() + timedelta(hours=template.delay_hours), begin_of(on, current_tenant() or template.tenant)
    )


def waiting_notes(wishes: Iterable[Wish], template: Any) -> dict[tuple[int, int | None], Note]:
    """{(donor, gift): the note that waits to thank them for it}, locked. Two queries."""
    gifts = {wish.reason.gift_id for wish in wishes if wish.reason.gift_id}
    found = Reason.objects.standing().filter(gift__in=gifts, note__state=Note.State.WAITING, note__template=template)
    thanked_by = list(found.order_by().values_list("note_id", "gift_id"))
    rows = Note.objects.filter(pk__in={note for note, _ in thanked_by}, state=Note.State.WAITING)
    here = {row.pk: row for row in rows.order_by("contact_id", "pk").select_for_update(no_key=True)}
    return {(here[note].contact_id, gift): here[note] for note, gift in thanked_by if note in here}


def ring(job: str) -> None:
    """Have a job of this app look, once this transaction is committed."""
    from tasks_app import jobs

    if tenant := current_tenant():
        jobs.soon(job, tenant.pk)
