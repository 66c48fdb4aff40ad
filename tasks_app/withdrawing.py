"""Reasons that are gone, and reasons that moved: gifts refunded, deleted, corrected or given to another donor, and
milestones no longer met (M8). What is open and has no reason left is withdrawn with a note saying so; what was sent
already stays, and is flagged for a person to judge. As many queries for 500 as for one.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from contacts.models import HistoryEntry
from gifts.models import Gift, MilestoneReached
from gifts.money import money
from tasks_app import asking, words
from tasks_app.models import Note, Reason, ThankYou

NOT_SENT = (ThankYou.State.OPEN, Note.State.WAITING, Note.State.HELD, Note.State.FAILED)
WAS_SENT = (ThankYou.State.SENT, ThankYou.State.DONE, Note.State.SENT, Note.State.MAYBE)


@transaction.atomic
def follow_gifts(gift_pks: Collection[int], contact_uids: Collection[uuid.UUID], is_new: bool = False) -> None:
    """These gifts changed, and of these donors some may be gone: bring reasons in line."""
    rows = Gift.objects.filter(pk__in=gift_pks).select_related("contact").order_by("pk")
    gifts = {gift.uid: gift for gift in rows}
    take_over_corrections(list(gifts.values()))
    if is_new:
        return  # nothing was said of them yet
    of_gone = Q(gift=None, gift_uid__isnull=False)
    if not gift_pks:  # deleted ones are not named; their donors are
        of_gone &= Q(thank_you__contact__uid__in=contact_uids) | Q(note__contact__uid__in=contact_uids)
        found = reasons(Reason.objects.standing().filter(of_gone))
    else:
        found = reasons(Reason.objects.standing().filter(gift_uid__in=gifts))
    gone: dict[str, list[Reason]] = {}
    again, changed = [], []
    for reason in found:
        gift = gifts.get(reason.gift_uid)
        if why := why_gone(reason, gift):
            gone.setdefault(why, []).append(reason)
            if gift is not None and gift.stands:
                again.append(gift)  # its new donor is thanked
        elif gift is not None and differs(reason, gift):
            changed.append(reason)
    for why, these in gone.items():
        withdraw(these, why)
    rewrite(changed)
    asking.thank_for_gifts([*again, *back_again(gifts)])


def reasons(rows: Any) -> list[Reason]:
    """With what they hold, in a steady order; what they hold is locked."""
    found = list(rows.select_related("thank_you__contact", "note__contact", "award__rule").order_by("pk"))
    for model, name in ((ThankYou, "thank_you"), (Note, "note")):
        pks = {pk for one in found if (pk := getattr(one, f"{name}_id"))}
        if pks:
            locked = model.objects.filter(pk__in=pks).select_related("contact").order_by("contact_id", "pk")
            here = {row.pk: row for row in locked.select_for_update(no_key=True, of=("self",))}
            for one in found:
                if (pk := getattr(one, f"{name}_id")) in here:
                    setattr(one, name, here[pk])
    return found


def why_gone(reason: Reason, gift: Gift | None) -> str:
    """Why a gift is no reason any more, or ""."""
    if gift is None:
        return "The gift was deleted."
    if gift.contact_id != reason.held.contact_id:
        return f"The gift is from {gift.contact}, not from {reason.held.contact}."[:200]
    if gift.gone_on is not None:
        return f"The gift of {money(gift.amount)} was deleted where it came from."
    if not gift.stands:
        return f"The gift of {money(gift.amount)} was refunded."
    return "" if gift.is_one and gift.net > 0 else f"The gift of {money(gift.amount)} does not count any more."


def differs(reason: Reason, gift: Gift) -> bool:
    """Whether what was not sent yet says something that is not so any more."""
    said = (reason.on, reason.amount, reason.comment)
    return reason.held.state in NOT_SENT and said != (gift.received_on, gift.net, gift.comment)


def rewrite(changed: list[Reason]) -> None:
    """Sentences follow corrections until they were said."""
    if not changed:
        return
    gifts = Gift.objects.select_related("contact").in_bulk([one.gift_id for one in changed])
    for one in changed:
        gift = gifts[one.gift_id or 0]
        one.sentence, one.on = words.for_gift(gift.contact, gift)[:300], gift.received_on
        one.amount, one.comment = gift.net, gift.comment
    Reason.objects.bulk_update(changed, ["sentence", "on", "amount", "comment"])
    asking.touch(list({one.thank_you.pk: one.thank_you for one in changed if one.thank_you}.values()))


def take_over_corrections(gifts: Sequence[Gift]) -> None:
    """A gift that corrects an earlier one takes its place as a reason that was not sent yet."""
    by_former = {gift.replaces_id: gift for gift in gifts if gift.replaces_id and gift.stands}
    if not by_former:
        return
    rows = Reason.objects.filter(gift__in=by_former, gift_uid__isnull=False, award=None)
    changed = []
    for one in reasons(rows.filter(withdrawn_at=None)):
        gift = by_former[one.gift_id or 0]
        if one.held.state in NOT_SENT and one.held.contact_id == gift.contact_id:
            one.gift, one.gift_uid = gift, gift.uid
            changed.append(one)
    if changed:
        Reason.objects.bulk_update(changed, ["gift", "gift_uid"])
        rewrite(changed)


def back_again(gifts: Mapping[uuid.UUID, Gift]) -> list[Gift]:
    """Gifts whose refund was a mistake: whoever was not thanked for them after all is thanked, and flags go."""
    standing = [gift.uid for gift in gifts.values() if gift.stands and gift.is_one]
    if not standing:
        return []
    rows = Reason.objects.filter(gift_uid__in=standing, withdrawn_at__isnull=False)
    was = reasons(rows.exclude(gift_uid__in=Reason.objects.standing().filter(gift_uid__in=standing).values("gift_uid")))
    again: dict[uuid.UUID, Gift] = {}
    restored: list[Reason] = []
    for one in was:
        if one.gift_uid is None:
            continue
        gift = gifts[one.gift_uid]
        if one.held.contact_id != gift.contact_id:
            continue
        if one.held.state in WAS_SENT:
            one.withdrawn_at, one.withdrawn_why = None, ""
            restored.append(one)
        elif one.held.state in (ThankYou.State.WITHDRAWN, ThankYou.State.OPEN, Note.State.WAITING):
            again[gift.uid] = gift
    for one in {one.gift_uid: one for one in restored}.values():
        one.save()
        again = {uid: gift for uid, gift in again.items() if uid != one.gift_uid}
    clear = {one.thank_you_id: one.thank_you for one in restored if one.thank_you and one.thank_you.to_judge}
    for row in clear.values():
        if not row.reasons.exclude(withdrawn_at=None).exists():
            row.to_judge = ""
            row.save()
    return list(again.values())


@transaction.atomic
def at_their_wish(contact_pks: Collection[int], source: str, why: str) -> set[int]:
    """These donors want no mail, says the source of their gifts: what was not sent yet for a gift from there is not
    sent any more (D8). Returns for which gifts that was."""
    rows = Reason.objects.standing().filter(gift__source=source)
    rows = rows.filter(Q(thank_you__contact__in=contact_pks) | Q(note__contact__in=contact_pks))
    gone = [one for one in reasons(rows) if one.held.state in NOT_SENT]
    withdraw(gone, why)
    return {one.gift_id for one in gone if one.gift_id}


@transaction.atomic
def follow_awards(awards: Sequence[MilestoneReached], instead: Mapping[int, MilestoneReached]) -> None:
    """These milestones are no longer met; of some a lower one still is, and takes their place (M8)."""
    found = reasons(Reason.objects.standing().filter(award__in=[award.pk for award in awards]))
    gone, lower, kept = [], [], set()
    for reason in found:
        other = instead.get(reason.award_id or 0)
        if other is not None and reason.held.state in NOT_SENT:
            lower.append((reason, other))
            kept.add((reason.thank_you_id, reason.note_id))
        else:
            gone.append(reason)
    now = timezone.now()
    new = []
    for reason, other in lower:
        fresh = asking.for_award(other)
        fresh.thank_you, fresh.note = reason.thank_you, reason.note
        new.append(fresh)
        reason.withdrawn_at, reason.withdrawn_why = now, "Less was reached than it seemed."
    if lower:
        Reason.objects.bulk_update([reason for reason, _ in lower], ["withdrawn_at", "withdrawn_why"])
        Reason.objects.bulk_create(new)
        asking.touch(list({r.thank_you.pk: r.thank_you for r, _ in lower if r.thank_you}.values()))
    withdraw(gone, "The milestone is no longer met: a gift was refunded, deleted or corrected.")


def withdraw(gone: Sequence[Reason], why: str) -> None:
    """Take these reasons away, with what they hold if nothing else holds it."""
    if not gone:
        return
    now = timezone.now()
    for reason in gone:
        reason.withdrawn_at, reason.withdrawn_why = now, why[:200]
    Reason.objects.bulk_update(gone, ["withdrawn_at", "withdrawn_why"])
    HistoryEntry.objects.bulk_create(
        HistoryEntry.by_actor(
            verb=HistoryEntry.Verb.ADDED, what="reason withdrawn", label=f"{reason.sentence} {why}"[:250],
            contact_uid=reason.held.contact.uid, list_uid=reason.held.uid,
        )
        for reason in gone
    )  # fmt: skip
    settle_tasks({r.thank_you.pk: r.thank_you for r in gone if r.thank_you}, why)
    settle_notes({r.note.pk: r.note for r in gone if r.note}, why)


def settle_tasks(rows: Mapping[int, ThankYou], why: str) -> None:
    """Open ones without a reason are withdrawn; sent ones are flagged."""
    still = having_reasons("thank_you_id", rows)
    left = []
    for row in rows.values():
        if row.is_open and row.pk not in still:
            row.state, row.open_key = ThankYou.State.WITHDRAWN, ""
            row.closing_note = f"{why} There is nothing left to thank for."[:400]
        elif row.state in WAS_SENT:
            row.to_judge = f"{why} They were thanked for it already."[:400]
        left.append(row)
    asking.touch(left, ("state", "open_key", "closing_note", "to_judge"))


def settle_notes(rows: Mapping[int, Note], why: str) -> None:
    """The same of notes: what was not sent is not sent any more."""
    still, changed = having_reasons("note_id", rows), []
    for row in rows.values():
        if row.state in NOT_SENT and row.pk not in still:
            row.state, row.why = Note.State.WITHDRAWN, why[:400]
            changed.append(row)
        elif row.state in WAS_SENT:
            row.why = f"{why} It was sent before."[:400]
            changed.append(row)
    if changed:
        Note.objects.bulk_update(changed, ["state", "why"])


def having_reasons(name: str, pks: Iterable[int]) -> set[int]:
    """Which of them still have a reason. One query."""
    rows = Reason.objects.standing().filter(**{f"{name}__in": list(pks)}) if pks else Reason.objects.none()
    return set(rows.order_by().values_list(name, flat=True))
