"""Background work of this app. Jobs take ids, may run twice, and lose nothing if they never run: what is to be done
stands in rows, and the sweep rings again for whatever has been silent."""

import logging
from typing import Any

from django.db import transaction
from django_q.tasks import async_task

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import assessing, due, running, totals
from gifts.donating import background

log = logging.getLogger(__name__)


def soon(job: str, *ids: Any) -> None:
    """Have `gifts.jobs.<job>(*ids)` run once this transaction is committed."""
    transaction.on_commit(lambda: async_task(f"gifts.jobs.{job}", *ids), robust=True)


def sweep() -> None:
    """Every minute: ring for work that a lost job left lying, and for gifts whose day has come."""
    for pk in due.tenants():
        async_task("gifts.jobs.assess", pk)
    for pk in running.waiting():
        async_task("gifts.jobs.carry_on_run", pk)
    for pk in background.tenants():
        async_task("gifts.jobs.work_on_calls", pk)


def work_on_calls(tenant_pk: int) -> None:
    """A turn of working on calls of programs; if there is more to do, it goes to the end of the queue."""
    if background.turn(tenant_pk):
        async_task("gifts.jobs.work_on_calls", tenant_pk)


def assess(tenant_pk: int) -> None:
    """A turn of looking at donors whose gifts have changed; if there is more to do, it goes to the end of the queue."""
    if assessing.turn(tenant_pk):
        async_task("gifts.jobs.assess", tenant_pk)


def carry_on_run(pk: int) -> None:
    """One turn at going through all donors; if there is more to do, it goes to the end of the queue."""
    if running.turn(pk):
        async_task("gifts.jobs.carry_on_run", pk)


def nightly() -> None:
    """Every night: a job for each organization, so that they take turns."""
    for pk in Tenant.objects.values_list("pk", flat=True):
        async_task("gifts.jobs.night_of", pk)


def night_of(tenant_pk: int) -> None:
    """Compare every donor's totals with their gifts; what differs is mended, noted in the history, and logged."""
    with in_tenant(Tenant.objects.get(pk=tenant_pk)):
        found = totals.recount_all()
        running.verify()
    if found.differing:
        log.warning(
            "organization %s: totals of %s of %s donors were put right", tenant_pk, found.differing, found.donors
        )
