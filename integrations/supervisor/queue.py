"""The queue as the supervisor sees it: does its head move, and which jobs had a dead cluster claimed?"""

import logging
from collections import Counter
from typing import Protocol

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import QuerySet
from django.utils import timezone
from django_q.brokers import Broker, get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task

logger = logging.getLogger(__name__)

# A job that was running when its cluster died so many times is taken to be the cause, and is dropped. Nothing is lost
# by that: a job is a bell, what it rings for stands in our own rows, and the sweep rings again.
CHANCES = 5


class JobQueue(Protocol):
    """What both brokers can tell."""

    def standstill(self) -> object:
        """Something that changes as long as jobs are taken; None when no job waits."""

    def free_claims(self) -> None:
        """Let the jobs of the cluster that has just died be taken again."""


class TableQueue:
    """The queue in the database."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.deaths: Counter[int] = Counter()

    def standstill(self) -> object:
        now = timezone.now()
        ready = OrmQ.objects.filter(key=self.key, lock__lt=now).order_by("id")
        head = tuple(ready.values_list("id", "lock")[:20])
        return (head, tuple(self.claimed().values_list("id", "lock"))) if head else None

    def claimed(self) -> QuerySet[OrmQ]:
        return OrmQ.objects.filter(key=self.key, lock__gt=timezone.now()).order_by("id")

    def free_claims(self) -> None:
        # A claim does not say whose it is. If another machine's cluster has it, that bell rings twice: harmless.
        claims = list(self.claimed().values_list("id", flat=True))
        self.deaths = Counter({job: self.deaths[job] + 1 for job in claims})
        for job, deaths in self.deaths.items():
            if deaths >= CHANCES:
                logger.error("A job was running each time the cluster died; dropped", extra={"job": job})
                OrmQ.objects.filter(pk=job).delete()
            else:
                OrmQ.objects.filter(pk=job).update(lock=timezone.now())


class RedisQueue:
    """The queue in Redis, which forgets a job when it is taken: what a dead cluster had, the sweep makes up for."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    def standstill(self) -> object:
        return self.broker.connection.lindex(self.broker.list_key, 0)

    def free_claims(self) -> None:
        """Nothing can be freed here."""


def errors() -> tuple[type[Exception], ...]:
    """What database and broker raise while they are away."""
    if settings.Q_BROKER_URL:
        from redis import RedisError

        return DatabaseError, InterfaceError, RedisError
    return DatabaseError, InterfaceError


def job_queue() -> JobQueue:
    """The queue that this installation's cluster reads."""
    broker = get_broker()
    return RedisQueue(broker) if settings.Q_BROKER_URL else TableQueue(broker.list_key)


def ring_sweep() -> None:
    """Have the next free worker look for whatever is due."""
    async_task("integrations.jobs.sweep")
