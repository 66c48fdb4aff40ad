"""Mail to those who thank (T3), each kind only for whoever asked for it: on being given a thank-you, and every Monday.
Each message is claimed in its row before it is sent, so that nobody gets it twice."""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from contacts.models import StaffMember, Tenant
from contacts.models.recorded import chunks
from contacts.tenancy.walls import TenantQuerySet, current_tenant
from gifts.services import today
from tasks_app import words
from tasks_app.models import Notifications, ThankYou

log = logging.getLogger(__name__)

NAMED = 10  # thank-yous that a message names; the rest are counted
FROM_HOUR = 7  # on Monday, where the organization is


def tell(address: str, subject: str, body: str) -> bool:
    """One message; a mail server that does not answer must not stop the work."""
    try:
        EmailMessage(" ".join(subject.split())[:200], body, None, [address]).send()  # names may hold line breaks
    except (OSError, ValueError, ImproperlyConfigured) as error:
        log.warning("A message to staff could not be mailed: %s", type(error).__name__)
        return False
    return True


def queue_link(query: str) -> str:
    """Where these are, as an address that opens from a mail."""
    return f"{settings.PUBLIC_URL}{reverse('admin:tasks_app_thankyou_changelist')}?{query}"


# --- on assignment ---


def tenants() -> list[int]:
    """The organizations where somebody is still to be told, asked across all of them by the sweep."""
    rows = ThankYou.objects.with_scopes_disabled().filter(tell_assignee=True).order_by()
    return sorted(set(rows.values_list("tenant_id", flat=True)))


def tell_assignees() -> None:
    """One message to each person, however many they were given."""
    waiting = ThankYou.objects.filter(tell_assignee=True).order_by()
    for pk in sorted({pk for pk in waiting.values_list("assignee_id", flat=True).distinct() if pk}):
        with transaction.atomic():
            rows = waiting.filter(assignee=pk).order_by("pk").select_for_update(skip_locked=True)
            mine = list(rows.values_list("pk", "state"))
            for part in chunks(mine):
                told = ThankYou.objects.filter(pk__in=[row_pk for row_pk, _ in part]).order_by()
                TenantQuerySet.update(told, tell_assignee=False)
            wants = Notifications.objects.filter(member=pk, on_assignment=True, member__user__is_active=True).exists()
        still = [row_pk for row_pk, state in mine if state == ThankYou.State.OPEN]
        if wants and still:
            tell(StaffMember.objects.select_related("user").get(pk=pk).user.email, *assignment_words(still))
    TenantQuerySet.update(waiting.filter(assignee=None), tell_assignee=False)


def assignment_words(pks: list[int]) -> tuple[str, str]:
    """Subject and text; a few are named, however many there are."""
    count = len(pks)
    rows = list(ThankYou.objects.filter(pk__in=pks[:NAMED]).select_related("contact").order_by("pk"))
    subject = f"A thank-you for you: {rows[0].contact}" if count == 1 else f"{count} thank-yous for you"
    why = {row.pk: [] for row in rows}  # type: dict[int, list[str]]
    from tasks_app.models import Reason

    for pk, sentence in (
        Reason.objects.standing().filter(thank_you__in=list(why)).values_list("thank_you_id", "sentence")
    ):
        why[pk].append(sentence)
    lines = [f"{row.title} {words.newest(why[row.pk])} Due {row.due_on:%B} {row.due_on.day}." for row in rows]
    if count > NAMED:
        lines.append(f"And {count - NAMED} more.")
    lines.append(f"See them: {queue_link('whose=mine')}")
    lines.append(f"You hear of this because you asked to. Change that: {wishes_link()}")
    return f"{subject} ({current_tenant()})", "\n\n".join(lines) + "\n"


def wishes_link() -> str:
    """Where somebody says what they want to hear."""
    return f"{settings.PUBLIC_URL}{reverse('admin:my_notifications')}"


# --- every Monday ---


def on_monday() -> list[int]:
    """The organizations where it is Monday morning or later that day."""
    now = timezone.now()
    local = [(tenant.pk, timezone.localtime(now, tenant.tz)) for tenant in Tenant.objects.all()]
    return [pk for pk, at in local if at.weekday() == 0 and at.hour >= FROM_HOUR]


def send_digests() -> None:
    """To each who wants it and has not had it today; nothing to say is not said."""
    day = today()
    rows = Notifications.objects.filter(weekly=True, member__user__is_active=True).exclude(weekly_sent_on=day)
    for one in rows.select_related("member__user").order_by("pk"):
        if not Notifications.objects.filter(pk=one.pk).exclude(weekly_sent_on=day).update(weekly_sent_on=day):
            continue  # somebody else is at it
        if (words := digest_words(one.member)) and not tell(one.member.user.email, *words):
            Notifications.objects.filter(pk=one.pk).update(weekly_sent_on=one.weekly_sent_on)


def digest_words(member: StaffMember) -> tuple[str, str] | None:
    """Subject and text of the week, or None if there is nothing to do. One query."""
    day, awake = today(), ThankYou.objects.awake(today())
    mine, team = Q(assignee=member), Q(assignee=None)
    late = Q(due_on__lt=day)
    found: dict[str, Any] = awake.aggregate(
        mine=Count("pk", filter=mine), mine_late=Count("pk", filter=mine & late),
        team=Count("pk", filter=team), team_late=Count("pk", filter=team & late),
    )  # fmt: skip
    if not found["mine"] and not found["team"]:
        return None
    lines = [
        f"{counted(found[whose])} {words}{f', {found[late_of]:,} of them overdue' if found[late_of] else ''}: "
        f"{queue_link(f'whose={whose}')}"
        for whose, late_of, words in (
            ("mine", "mine_late", "for you"), ("team", "team_late", "for the team, for whoever comes first"),
        )
        if found[whose]
    ]  # fmt: skip
    lines.append(f"You get this on Mondays because you asked for it. Change that: {wishes_link()}")
    return f"Thank-yous this week ({current_tenant()})", "\n\n".join(lines) + "\n"


def counted(number: int) -> str:
    """“1 thank-you is”."""
    return f"{number:,} thank-you{' is' if number == 1 else 's are'} waiting"
