"""What waits: the badge beside the menu entry, and the line on the first page."""

from collections.abc import Iterator

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse

from contacts.tenancy.cards import Need
from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from gifts.services import today
from tasks_app.admin.filters import awake
from tasks_app.models import Note, ThankYou

MOST = 999


def badge(request: HttpRequest) -> str:
    """How many are to do; one query that stops counting where nobody reads on."""
    if not is_allowed(request, SEE, "thanks"):
        return ""
    count = ThankYou.objects.filter(awake()).order_by()[: MOST + 1].count()
    return "" if not count else f"{MOST}+" if count > MOST else str(count)


def needs(request: HttpRequest) -> Iterator[Need]:
    """What is due, what was refunded after all, and notes that did not arrive; three queries."""
    if not is_allowed(request, SEE, "thanks"):
        return
    may, queue = is_allowed(request, CHANGE, "thanks"), reverse("admin:tasks_app_thankyou_changelist")
    day = today()
    found = ThankYou.objects.open().aggregate(
        due=Count("pk", filter=awake() & Q(due_on__lte=day)), late=Count("pk", filter=awake() & Q(due_on__lt=day))
    )
    late = f", {found['late']:,} of them overdue" if found["late"] else ""
    yield Need(
        found["due"], f"thank-you{' is' if found['due'] == 1 else 's are'} due today{late}", f"{queue}?whose=due",
        "Thank them" if may else "See who", icon="favorite", is_urgent=False,
    )  # fmt: skip
    judge = ThankYou.objects.exclude(to_judge="").count()
    have = "thank-you was" if judge == 1 else "thank-yous were"
    yield Need(
        judge, f"{have} sent before something changed, such as a refund", f"{queue}?whose=judge", "Look at it",
        icon="undo",
    )  # fmt: skip
    failed = Note.objects.filter(state__in=[Note.State.FAILED]).count()
    yield Need(
        failed, f"note{' was' if failed == 1 else 's were'} not delivered",
        f"{reverse('admin:tasks_app_note_changelist')}?state=failed", "See why", icon="mail_off",
    )  # fmt: skip
