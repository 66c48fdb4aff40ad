"""`manage.py status`: how each connection of each organization is doing, for whoever runs the installation."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from integrations.overview import overviews
from integrations.words import lasting


class Command(BaseCommand):
    help = "Prints each connection's state, why, and how much waits for how long."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="As a JSON list, for scripts.")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [row for tenant in Tenant.objects.all() for row in rows_of(tenant)]
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        if not rows:
            self.stdout.write("No organization has connected anything yet.")
        for row in rows:
            self.stdout.write(sentence(row))


def rows_of(tenant: Tenant) -> list[dict[str, Any]]:
    """The connections of one organization, counts only."""
    now = timezone.now()
    with in_tenant(tenant):
        return [
            {
                "tenant": tenant.name,
                "provider": overview.key,
                "state": overview.state,
                "reason": overview.explanation,
                "due": overview.waiting,
                "set_aside": overview.set_aside,
                "held": overview.held,
                "oldest_due_seconds": round((now - overview.oldest).total_seconds(), 1) if overview.oldest else None,
            }
            for overview in overviews()
            if overview.connection
        ]


def sentence(row: dict[str, Any]) -> str:
    """One line for people."""
    oldest = f", the oldest for {lasting(row['oldest_due_seconds'])}" if row["oldest_due_seconds"] is not None else ""
    why = f" ({row['reason']})" if row["reason"] else ""
    return (
        f"{row['tenant']}, {row['provider']}: {row['state']}{why}. "
        f"{row['due']} due{oldest}; {row['set_aside']} set aside; {row['held']} held."
    )
