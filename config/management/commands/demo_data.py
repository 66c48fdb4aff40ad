"""`manage.py demo_data`: fill an empty database with the demo's two organizations."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.demo import programs, sample_gifts
from config.demo.seed import RIVER, seed
from contacts.models import Contact
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.services import today


class Command(BaseCommand):
    help = "Adds the demo's organizations unless they are there; refuses to touch a real installation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--contacts", type=int, default=0, help="Make the first organization this large.")

    def handle(self, *args: Any, contacts: int, **options: Any) -> None:
        if settings.MODE == "production":
            raise CommandError("Invented people do not belong into a real installation. Set MODE=demo.")
        is_new = seed(contacts)
        programs.let_in()
        if settings.SAMPLE_IMPORT_FILE:
            offer_gifts(Path(settings.SAMPLE_IMPORT_FILE).parent)
        self.stdout.write("Invented two organizations." if is_new else "The organizations are there.")


def offer_gifts(folder: Path) -> None:
    """A file of gifts of River Trust's people, to be imported."""
    with in_tenant(Tenant.objects.get(name=RIVER)):
        people = Contact.objects.prefetch_related("email_addresses").order_by("pk")[:200]
        sample_gifts.write(folder, list(people), today())
