"""Prints a fresh key for FIELD_ENCRYPTION_KEYS; it stores nothing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from integrations.keyring import BadKeys, new_key


class Command(BaseCommand):
    help = "Print a new entry for FIELD_ENCRYPTION_KEYS. Put it in front of the others and keep a copy in a safe place."
    requires_system_checks: list[str] = []  # It is asked for just when the keys are missing or wrong.

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="Up to 8 letters and digits; the date when left out.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(new_key(options["name"] or f"k{timezone.now():%y%m%d}"))
        except BadKeys:
            raise CommandError("The name of a key is 1 to 8 letters and digits.") from None
