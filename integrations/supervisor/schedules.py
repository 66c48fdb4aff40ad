"""What happens by the clock: a few bells, kept in django-q2's table by the worker each time it starts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule

from integrations.models.heartbeat import Heartbeat

# The nightly work is done while most organizations sleep; the exact hour does not matter.
NIGHT_HOUR_UTC = 8

BELLS: dict[str, dict[str, Any]] = {
    "almoner: sweep": {
        "func": "integrations.jobs.sweep", "schedule_type": Schedule.MINUTES, "minutes": 1,
    },
    "almoner: watch": {
        "func": "integrations.jobs.watch", "schedule_type": Schedule.MINUTES, "minutes": 2,
    },
    "almoner: listen": {"func": "integrations.jobs.listen_all", "schedule_type": Schedule.HOURLY},
    "almoner: checks": {"func": "integrations.jobs.check_all", "schedule_type": Schedule.HOURLY},
    "almoner: look for gifts": {
        "func": "integrations.jobs.look_for_gifts", "schedule_type": Schedule.MINUTES, "minutes": 1,
    },
    "almoner: interactions": {"func": "integrations.jobs.mend_interactions", "schedule_type": Schedule.HOURLY},
    "almoner: prune": {"func": "integrations.jobs.prune", "schedule_type": Schedule.DAILY},
    "almoner: keep grants alive": {"func": "integrations.jobs.keep_grants_alive", "schedule_type": Schedule.DAILY},
    "almoner: desk sweep": {
        "func": "contacts.jobs.sweep", "schedule_type": Schedule.MINUTES, "minutes": 1,
    },
    "almoner: milestones": {"func": "gifts.jobs.sweep", "schedule_type": Schedule.MINUTES, "minutes": 1},
    "almoner: notes and mail": {"func": "tasks_app.jobs.sweep", "schedule_type": Schedule.MINUTES, "minutes": 1},
    "almoner: Mondays": {"func": "tasks_app.jobs.mornings", "schedule_type": Schedule.HOURLY},
    "almoner: thanks": {"func": "tasks_app.jobs.nightly", "schedule_type": Schedule.DAILY},
    "almoner: giving": {"func": "gifts.jobs.nightly", "schedule_type": Schedule.DAILY},
    "almoner: night": {"func": "contacts.jobs.nightly", "schedule_type": Schedule.DAILY},
}  # fmt: skip


def tonight(now: datetime) -> datetime:
    """The next start of the nightly work."""
    tonight = now.astimezone(UTC).replace(hour=NIGHT_HOUR_UTC, minute=0, second=0, microsecond=0)
    return tonight if tonight > now else tonight + timedelta(days=1)


@transaction.atomic
def ensure_schedules() -> None:
    """Make the table say what `BELLS` says, once each, however many workers start at the same moment.

    django-q2 does not keep schedule names unique, so the row of a heartbeat serves as the lock.
    """
    Heartbeat.objects.get_or_create(name="schedules", defaults={"at": timezone.now()})
    Heartbeat.objects.select_for_update().get(name="schedules")
    now = timezone.now()
    for name, bell in BELLS.items():
        kept = Schedule.objects.filter(name=name).order_by("pk").first()
        if kept is None:
            first = tonight(now) if bell["schedule_type"] == Schedule.DAILY else now
            Schedule.objects.create(name=name, repeats=-1, next_run=first, **bell)
        else:
            Schedule.objects.filter(pk=kept.pk).update(repeats=-1, **bell)
            Schedule.objects.filter(name=name).exclude(pk=kept.pk).delete()
    Schedule.objects.filter(name__startswith="almoner: ").exclude(name__in=BELLS).delete()
