"""Every night: compare what is still to be thanked for with gifts and milestones as they are, and mend what differs.
Signals only shorten the wait; whatever one of them missed costs a night."""

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from contacts.models.recorded import chunks
from gifts.models import Gift, MilestoneReached
from gifts.models.gift import STANDS
from tasks_app import asking, together, withdrawing
from tasks_app.models import Note, Reason, ThankYou

TO_DO = Q(thank_you__state=ThankYou.State.OPEN) | Q(note__state=Note.State.WAITING)


def mend() -> int:
    """Of the active organization. Returns how many reasons were put right."""
    return withdraw_what_is_gone() + ask_again() + together.settle_all()


def withdraw_what_is_gone() -> int:
    """Reasons of what is to do whose gift does not stand there as it should."""
    right = Gift.objects.filter(STANDS, uid=OuterRef("gift_uid"), is_one=True).filter(
        Q(contact=OuterRef("thank_you__contact")) | Q(contact=OuterRef("note__contact"))
    )
    rows = Reason.objects.standing().filter(TO_DO, gift_uid__isnull=False).exclude(Exists(right))
    count = 0
    for pks in chunks(list(rows.order_by().values_list("pk", flat=True))):
        with transaction.atomic():
            found = withdrawing.reasons(Reason.objects.standing().filter(pk__in=pks))
            gifts = {
                gift.uid: gift
                for gift in Gift.objects.filter(uid__in=[one.gift_uid for one in found]).select_related("contact")
            }
            for one in found:
                if why := withdrawing.why_gone(one, gifts.get(one.gift_uid)):
                    withdrawing.withdraw([one], why)
                    count += 1
    return count


def ask_again() -> int:
    """Milestones that were withdrawn before anybody was thanked, and are met after all: a refund was a mistake."""
    standing = Reason.objects.standing().filter(award=OuterRef("award"))
    state = ThankYou.State.WITHDRAWN
    rows = Reason.objects.filter(
        Q(thank_you__state=state) | Q(note__state=Note.State.WITHDRAWN, note__sent_at=None),
        withdrawn_at__isnull=False, award__no_longer_met_at=None, award__is_highest=True, award__is_quiet=False,
    )  # fmt: skip
    # Whose thank-you was merged into another's had its reasons moved; those that stand are left alone.
    rows = rows.filter(award__isnull=False, withdrawn_at__gte=F("created_at")).exclude(Exists(standing))
    pks = sorted(set(rows.order_by().values_list("award_id", flat=True)))
    for part in chunks(pks):
        awards = MilestoneReached.objects.filter(pk__in=part).select_related("rule__assignee__user", "contact", "gift")
        asking.thank_for_awards(awards.order_by("pk"))
    return len(pks)
