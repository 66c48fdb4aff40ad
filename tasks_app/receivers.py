"""What this app hears: of gifts and milestones from the app below, of merges and of people who leave."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models.signals import post_save, pre_delete

from contacts import signals as contact_signals
from contacts.models import Merge, StaffMember
from contacts.tenancy.models import Role
from gifts import signals as gift_signals
from gifts.models import Gift, MilestoneReached
from tasks_app import asking, together, withdrawing
from tasks_app.models import ThankYou


def connect() -> None:
    """Called once when the app is ready."""
    gift_signals.gifts_to_thank.connect(hear_gifts, dispatch_uid="tasks_app.gifts")
    gift_signals.gifts_changed.connect(hear_changes, dispatch_uid="tasks_app.changes")
    gift_signals.milestones_reached.connect(hear_awards, dispatch_uid="tasks_app.awards")
    gift_signals.milestones_withdrawn.connect(hear_withdrawn, dispatch_uid="tasks_app.withdrawn")
    contact_signals.contacts_changed.connect(hear_merges, sender=Merge, dispatch_uid="tasks_app.merges")
    post_save.connect(hear_role, sender=StaffMember, dispatch_uid="tasks_app.role")
    pre_delete.connect(hear_leaving, sender=StaffMember, dispatch_uid="tasks_app.leaving")


def hear_gifts(sender: Any, gift_pks: Collection[int], **more: Any) -> None:
    """New gifts ask for thanks (D6)."""
    asking.thank_for_gifts(Gift.objects.filter(pk__in=gift_pks).select_related("contact").order_by("pk"))


def hear_changes(
    sender: Any, gift_pks: Collection[int], contact_uids: Collection[Any], is_new: bool = False, **more: Any
) -> None:
    """Gifts were refunded, corrected, deleted or given to another donor (M8)."""
    withdrawing.follow_gifts(gift_pks, contact_uids, is_new)


def hear_awards(sender: Any, awards: Sequence[MilestoneReached], **more: Any) -> None:
    """Milestones ask for thanks (M6)."""
    asking.thank_for_awards(awards)


def hear_withdrawn(
    sender: Any, awards: Sequence[MilestoneReached], instead: Mapping[int, MilestoneReached], **more: Any
) -> None:
    """Milestones are no longer met (M8)."""
    withdrawing.follow_awards(awards, instead)


def hear_merges(sender: Any, uids: Collection[Any], **more: Any) -> None:
    """Two donors became one, or one became two again: one open thank-you for each."""
    together.settle(uids)


def hear_leaving(sender: Any, instance: StaffMember, **more: Any) -> None:
    """Somebody leaves the organization: theirs become the team's."""
    ThankYou.objects.filter(assignee=instance).update(assignee=None, for_whom="", claimed_at=None)


def hear_role(sender: Any, instance: StaffMember, created: bool, **more: Any) -> None:
    """Somebody may only look from now on: what they had to do becomes the team's."""
    if instance.role == Role.VIEWER and not created:
        ThankYou.objects.open().filter(assignee=instance).update(assignee=None, for_whom="", claimed_at=None)
