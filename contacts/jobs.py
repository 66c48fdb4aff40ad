"""Background work of this app. Jobs take ids, may run twice, and lose nothing if they never run: what is to be done
stands in rows, and the sweep rings again for whatever has been silent."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from contacts import bulk, custom, figures, search, table_statistics
from contacts.duplicates import find
from contacts.duplicates import search as duplicates
from contacts.duplicates.merge import forget_old_merges
from contacts.importing import keeping as old_imports
from contacts.importing import turns as import_turns
from contacts.models import Contact
from contacts.models.recorded import chunks
from contacts.tenancy.keys import forget_old_answers
from contacts.tenancy.models import Tenant
from contacts.tenancy.throttle import forget_old_tallies
from contacts.tenancy.walls import in_tenant


def soon(job: str, *ids: Any) -> None:
    """Have `contacts.jobs.<job>(*ids)` run once this transaction is committed."""
    transaction.on_commit(lambda: async_task(f"contacts.jobs.{job}", *ids), robust=True)


def sweep() -> None:
    """Every minute: ring for work that a lost job left lying."""
    table_statistics.take()
    for pk in bulk.waiting():
        async_task("contacts.jobs.carry_on_bulk_change", pk)
    for pk in import_turns.waiting():
        async_task("contacts.jobs.carry_on_import", pk)
    for tenant_pk in duplicates.lost():
        async_task("contacts.jobs.search_duplicates", tenant_pk)
    for tenant_pk, field_pk in custom.left_lying():
        async_task("contacts.jobs.take_field_away", tenant_pk, field_pk)


def nightly() -> None:
    """Every night: a job for each organization, so that they take turns."""
    forget_old_tallies()
    for pk in Tenant.objects.values_list("pk", flat=True):
        async_task("contacts.jobs.night_of", pk)


def night_of(tenant_pk: int) -> None:
    """The nightly work of one organization."""
    with in_tenant(Tenant.objects.get(pk=tenant_pk)):
        forget_old_merges()
        forget_old_answers()
        old_imports.prune()
        duplicates.start()
    async_task("contacts.jobs.search_duplicates", tenant_pk)
    async_task("contacts.jobs.write_search_texts", tenant_pk)
    count_days(tenant_pk)


def count_days(tenant_pk: int) -> None:
    """Count the days that have not been counted yet, a piece at a time; what is lost is made up the next night."""
    tenant = Tenant.objects.get(pk=tenant_pk)
    with in_tenant(tenant):
        if figures.count_next(tenant, timezone.now()):
            soon("count_days", tenant_pk)


def search_duplicates(tenant_pk: int) -> None:
    """A turn of the search through all contacts for possible duplicates; it goes on until all have been seen."""
    with in_tenant(Tenant.objects.get(pk=tenant_pk)):
        if duplicates.turn():
            async_task("contacts.jobs.search_duplicates", tenant_pk)


def look_for_duplicates_of(tenant_pk: int, uids: Iterable[uuid.UUID]) -> None:
    """Have somebody look whether these contacts, which were changed, are like others."""
    for part in chunks(sorted(uids)):
        async_task("contacts.jobs.look_at_changed", tenant_pk, [str(uid) for uid in part])


def look_at_changed(tenant_pk: int, uids: list[str]) -> None:
    """Look for doubles of these contacts only."""
    with in_tenant(Tenant.objects.get(pk=tenant_pk)):
        find.look_at(Contact.objects.filter(uid__in=uids).values_list("pk", flat=True))


def take_field_away(tenant_pk: int, field_pk: int) -> None:
    """A turn of taking a deleted custom field's values off the contacts; it goes on until none is left."""
    with in_tenant(Tenant.objects.get(pk=tenant_pk)):
        if custom.take_away(field_pk, seconds=15):
            async_task("contacts.jobs.take_field_away", tenant_pk, field_pk)


def carry_on_import(import_pk: int) -> None:
    """One turn at an import; if there is more to do, it goes to the end of the queue."""
    if import_turns.turn(import_pk):
        async_task("contacts.jobs.carry_on_import", import_pk)


def carry_on_bulk_change(pk: int) -> None:
    """One turn at a bulk change; if there is more to do, it goes to the end of the queue."""
    if bulk.turn(pk):
        async_task("contacts.jobs.carry_on_bulk_change", pk)


def write_search_texts(tenant_pk: int) -> None:
    """Write what is missing of the texts that contacts are found by, some thousands in a turn."""
    with in_tenant(Tenant.objects.get(pk=tenant_pk)):
        if search.fill():
            async_task("contacts.jobs.write_search_texts", tenant_pk)
