"""Somebody told their mail service that our mail is spam, and the vendor passed it on: their own word (L35)."""

from collections.abc import Iterable

from django.db import transaction

from contacts.models import ConsentEvent, EmailAddress
from contacts.models.contact import address_key
from contacts.models.kept_words import COMPLAINT
from contacts.tenancy.acting import By, acting
from integrations.models import Connection
from integrations.sync import people

State = EmailAddress.State


def note(connection: Connection, container: str, addresses: Iterable[str]) -> str:
    """Mark these addresses as complained from and write the opt-out into the ledger, for all who have them. Repeating
    changes nothing. Returns a sentence, or "" if it was known or nobody here has such an address."""
    keys = [address_key(address) for address in addresses if address]
    place = f"{people.place_of(connection)} {container}"
    with transaction.atomic(), acting(By.PERSON, f"{connection}"):
        rows = EmailAddress.objects.filter(address_key__in=keys).exclude(state=State.COMPLAINED)
        found = list(rows.select_related("contact").select_for_update(of=("self",)).order_by("pk"))
        for row in found:
            ConsentEvent.by_actor(
                ConsentEvent.Kind.OPT_OUT, row.contact.uid, tenant_id=connection.tenant_id,
                contact_name=str(row.contact)[:250], address=row.address_key, place=place,
                detail=f"{COMPLAINT} at {connection}",
            ).save()  # fmt: skip
        EmailAddress.objects.filter(pk__in=[row.pk for row in found]).update(state=State.COMPLAINED)
    return f"{COMPLAINT}: no more mail goes to this address." if found else ""
