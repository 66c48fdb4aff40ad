"""After contacts were merged, or a merge was undone: the open thank-yous of each are one, with the right reasons."""

import uuid
from collections.abc import Collection

from django.db import transaction

from gifts.models import Gift
from tasks_app import asking, withdrawing
from tasks_app.models import Reason, ThanksSettings, ThankYou


@transaction.atomic
def settle(uids: Collection[uuid.UUID]) -> None:
    """Put together what belongs together, and take apart what does not."""
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
        row.closing_note = "Two contacts were merged; its reasons stand with their other open thank-you."
        row.save()
        asking.give_due(stays, row.due_on)
        if stays.assignee_id is None:
            stays.assignee, stays.for_whom = row.assignee, row.for_whom
    renamed = [(key, row) for key, row in first.items() if row.open_key != key]
    for key, row in renamed:
        row.open_key = key
    for row in first.values():
        row.save()
    asking.touch(list({stays.pk: stays for _, stays in going}.values()))
    strays = Reason.objects.standing().filter(thank_you__in=list(first.values()), gift_uid__isnull=False)
    pks = [pk for pk in strays.order_by().values_list("gift_id", flat=True) if pk]
    if pks and Gift.objects.filter(pk__in=pks).exclude(contact__in=[row.contact_id for row in first.values()]).exists():
        withdrawing.follow_gifts(pks, uids)


def rule_of(row: ThankYou) -> int | None:
    """Under which milestone rule it was made; None for gifts."""
    reason = row.reasons.order_by("pk").select_related("award").first()  # type: ignore[attr-defined]
    return reason.award.rule_id if reason and reason.award else None
