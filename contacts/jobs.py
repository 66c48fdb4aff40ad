"""Background work of this app. Jobs take ids, may run twice, and lose nothing if they never run: what is to be done
stands in rows, and the sweep rings again for whatever has been silent."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from contacts import figures
from contacts.tenancy.models import Tenant
from contacts.tenancy.throttle import forget_old_tallies
from contacts.tenancy.walls import in_tenant


def soon(job: str, *ids: Any) -> None:
    """Have `contacts.jobs.<job>(*ids)` run once this transaction is committed."""
    transaction.on_commit(lambda: async_task(f"contacts.jobs.{job}", *ids), robust=True)


def sweep() -> None:
    """Every minute: ring for work that a lost job left lying."""


def nightly() -> None:
    """Every night: a job for each organization, so that they take turns."""
    forget_old_tallies()
    for pk in Tenant.objects.values_list("pk", flat=True):
        async_task("contacts.jobs.night_of", pk)


def night_of(tenant_pk: int) -> None:
    """The nightly work of one organization."""
    count_days(tenant_pk)


def count_days(tenant_pk: int) -> None:
    """Count the days that have not been counted yet, a piece at a time; what is lost is made up the next night."""
    tenant = Tenant.objects.get(pk=tenant_pk)
    with in_tenant(tenant):
        if figures.count_next(tenant, timezone.now()):
            soon("count_days", tenant_pk)
