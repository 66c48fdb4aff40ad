"""`manage.py recount_giving`: compare every donor's totals with their gifts, and put right what differs."""

from typing import Any

from django.core.management.base import BaseCommand

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import totals


class Command(BaseCommand):
    """The nightly recount, now."""

    help = "Compares every donor's totals with their gifts, puts right what differs, and says how many that were."

    def handle(self, *args: Any, **options: Any) -> None:
        for tenant in Tenant.objects.all():
            with in_tenant(tenant):
                found = totals.recount_all()
            self.stdout.write(f"{tenant}: {found.donors:,} donors, {found.differing:,} put right")
