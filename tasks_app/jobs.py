"""Background work of this app. Jobs take ids, may run twice, and lose nothing if they never run: what is to be done
stands in rows, and the sweep rings again for whatever has been silent."""

import logging
from typing import Any

from django.db import transaction
from django_q.tasks import async_task

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from tasks_app import mail_to_staff, mending, notes, together

log = logging.getLogger(__name__)


def soon(job: str, *ids: Any) -> None:
    """Have `tasks_app.jobs.<job>(*ids)` run once this transaction is committed."""
    transaction.on_commit(lambda: async_task(f"tasks_app.jobs.{job}", *ids), robust=True)


def sweep() -> None:
    """Every minute: ring for notes that are due, and for mail that a lost job left lying."""
    for pk in notes.tenants():
        async_task("tasks_app.jobs.send_notes", pk)
    for pk in mail_to_staff.tenants():
        async_task("tasks_app.jobs.mail_assignments", pk)


def send_notes(tenant_pk: int) -> None:
    """A turn of sending; if there is more to do, it goes to the end of the queue."""
    if notes.turn(tenant_pk):
        async_task("tasks_app.jobs.send_notes", tenant_pk)


def mail_assignments(tenant_pk: int) -> None:
    """Tell people of thank-yous that they were given, as far as they want to hear of it."""
    with in_tenant(Tenant.objects.get(pk=tenant_pk)):
        mail_to_staff.tell_assignees()


def settle_all(tenant_pk: int) -> None:
    """The organization has chosen otherwise what may be open at a time. Should this job be lost, the night does it."""
    with in_tenant(Tenant.objects.get(pk=tenant_pk)):
        together.settle_all()


def mornings() -> None:
    """Every hour: the weekly mail of organizations where it is Monday morning."""
    for pk in mail_to_staff.on_monday():
        async_task("tasks_app.jobs.mail_digests", pk)


def nightly() -> None:
    """Every night: a job for each organization, so that they take turns."""
    for pk in Tenant.objects.values_list("pk", flat=True):
        async_task("tasks_app.jobs.night_of", pk)


def night_of(tenant_pk: int) -> None:
    """Compare what is to do with gifts and milestones; what differs is mended, and logged."""
    with in_tenant(Tenant.objects.get(pk=tenant_pk)):
        if mended := mending.mend():
            log.warning("organization %s: %s reasons to thank were put right", tenant_pk, mended)


def mail_digests(tenant_pk: int) -> None:
    """What is open and overdue, to everybody who wants to hear it."""
    with in_tenant(Tenant.objects.get(pk=tenant_pk)):
        mail_to_staff.send_digests()
