"""Background work of this app. Jobs take ids, may run twice, and lose nothing if they never run."""

import logging

from django_q.tasks import async_task

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import totals

log = logging.getLogger(__name__)


def nightly() -> None:
    """Every night: a job for each organization, so that they take turns."""
    for pk in Tenant.objects.values_list("pk", flat=True):
        async_task("gifts.jobs.night_of", pk)


def night_of(tenant_pk: int) -> None:
    """Compare every donor's totals with their gifts; what differs is mended, noted in the history, and logged."""
    with in_tenant(Tenant.objects.get(pk=tenant_pk)):
        found = totals.recount_all()
    if found.differing:
        log.warning(
            "organization %s: totals of %s of %s donors were put right", tenant_pk, found.differing, found.donors
        )
