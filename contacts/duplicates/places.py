"""Keeps `PlaceKey`: where each contact lives, in the form in which two spellings of an address are equal."""

from collections.abc import Iterable

from django.db import transaction

from contacts.duplicates.alike import place_key
from contacts.models import PlaceKey, PostalAddress


def refresh(pks: Iterable[int]) -> None:
    """Bring the keys of these contacts in line with their addresses: two queries when nothing has changed."""
    pks = list(pks)
    addresses = PostalAddress.objects.filter(contact__in=pks).order_by()
    rows = addresses.values_list("contact_id", "street", "postal_code")
    wanted = {(contact, key) for contact, street, code in rows if (key := place_key(street, code))}
    here = {
        (contact, key): pk
        for pk, contact, key in PlaceKey.objects.filter(contact__in=pks).values_list("pk", "contact_id", "key")
    }
    with transaction.atomic():
        if stale := [pk for pair, pk in here.items() if pair not in wanted]:
            PlaceKey.objects.filter(pk__in=stale).delete()
        new = [PlaceKey(contact_id=contact, key=key) for contact, key in sorted(wanted - here.keys())]
        PlaceKey.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)
