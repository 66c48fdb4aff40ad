"""After contacts were merged, or a merge was undone: the open thank-yous of each are one, with the right reasons."""

import uuid
from collections.abc import Collection

from django.db import transaction
from django.db.models import F, Q

from contacts.models.recorded import chunks
from contacts.tenancy.walls import TenantQuerySet
from tasks_app import asking, withdrawing
from tasks_app.models import Reason, ThanksSettings, ThankYou

AT_ONCE = 100  # donors in one transaction
DOUBLED = "The milestone was reached by both of two contacts who are one, and is thanked for once."


@transaction.atomic
def settle(uids: Collection[uuid.UUID]) -> None:
    """Put together what belongs together, and take apart what does not, for these contacts."""
    drop_doubled(uids)
    rows = ThankYou.objects.open().filter(contact__uid__in=uids).select_related("contact").order_by("contact_id", "pk")
    if not (found := list(rows.select_for_update(no_key=True, of=("self",)))):
        return
    settings = ThanksSettings.now()
    first: dict[str, ThankYou] = {}
    going: list[tuple[ThankYou, ThankYou]] = []
    for row in found:
        key = asking.open_key(row.contact, rule_of(row), settings)
        if key in first:
            going.append((row, first[key]))
        else:
            first[key] = row
    for row, stays in going:
        row.reasons.update(thank_you=stays)  # type: ignore[attr-defined]
        row.state, row.open_key = ThankYou.State.WITHDRAWN, ""
        row.closing_note = "Its reasons stand with their other open thank-you."
        row.save()
        asking.give_due(stays, row.due_on)
        if stays.assignee_id is None:
            stays.assignee, stays.for_whom = row.assignee, row.for_whom
    renamed = [(key, row) for key, row in first.items() if row.open_key != key]
    TenantQuerySet.update(ThankYou.objects.filter(pk__in=[row.pk for _, row in renamed]).order_by(), open_key="")
    for key, row in renamed:  # all at once are free now, should two change places
        row.open_key = key
    for row in first.values():
        row.save()
    asking.touch(list({stays.pk: stays for _, stays in going}.values()))
    strays = Reason.objects.standing().filter(thank_you__in=list(first.values()), gift_uid__isnull=False)
    elsewhere = strays.exclude(gift__contact=F("thank_you__contact")).order_by().values_list("gift_id", flat=True)
    if pks := [pk for pk in elsewhere if pk]:
        withdrawing.follow_gifts(pks, uids)


def drop_doubled(uids: Collection[uuid.UUID]) -> None:
    """A milestone that both had reached is one after a merge (M5): what was asked for the other's, which is gone, is
    not asked for again."""
    theirs = Q(thank_you__contact__uid__in=uids) | Q(note__contact__uid__in=uids)
    rows = withdrawing.reasons(Reason.objects.standing().filter(theirs, award=None, gift_uid=None))
    doubled = [one for one in rows if not one.is_by_hand and one.held.state in withdrawing.NOT_SENT]
    withdrawing.withdraw(doubled, DOUBLED)


def settle_all() -> int:
    """After the organization has chosen otherwise what may be open at a time: whatever is open is put together, or gets
    ready for being joined. Returns how many donors that concerned."""
    is_by_rule = Q(open_key__contains=":")
    one_per = ThanksSettings.now().one_per
    rows = ThankYou.objects.open().filter(is_by_rule if one_per == ThanksSettings.One.DONOR else ~is_by_rule)
    uids = sorted(set(rows.order_by().values_list("contact__uid", flat=True)))
    for part in chunks(uids, AT_ONCE):
        settle(part)
    return len(uids)


def rule_of(row: ThankYou) -> int | None:
    """Under which milestone rule it was made; None for gifts."""
    reason = row.reasons.order_by("pk").select_related("award").first()  # type: ignore[attr-defined]
    return reason.award.rule_id if reason and reason.award else None
