"""`manage.py demo_data`: fill an empty database with the demo's two organizations."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.demo import programs
from config.demo.seed import seed


class Command(BaseCommand):
    help = "Adds the demo's organizations unless they are there; refuses to touch a real installation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--contacts", type=int, default=0, help="Make the first organization this large.")

    def handle(self, *args: Any, contacts: int, **options: Any) -> None:
        if settings.MODE == "production":
            raise CommandError("Invented people do not belong into a real installation. Set MODE=demo.")
        is_new = seed(contacts)
        programs.let_in()
        self.stdout.write("Invented two organizations." if is_new else "The organizations are there.")
