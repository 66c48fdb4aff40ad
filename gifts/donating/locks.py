"""One at a time for one person: two calls about the same address, number or identifier wait for each other, and calls
about others do not."""

import hashlib
import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction

from contacts import telling
from contacts.models import Contact
from contacts.models.recorded import Recorded
from contacts.tenancy.walls import current_tenant

log = logging.getLogger(__name__)
TRIES = 4
GIVE_WAY = {"40P01", "40001", "55P03", "23505"}  # PostgreSQL: two waited for each other, or made the same thing
Result = TypeVar("Result")


class Gone(OperationalError):
    """Somebody who was found a moment ago is not here now: merged or deleted. Looked for again, the call finds out."""


def take(words: Iterable[str]) -> None:
    """Wait for whoever works on one of these words, until the end of the transaction; always in the same order. SQLite
    lets one write at a time anyway."""
    tenant = current_tenant()
    if connection.vendor != "postgresql" or tenant is None:
        return
    keys = sorted({number_of(f"{tenant.pk}:{word}") for word in words})
    with connection.cursor() as cursor:
        for key in keys:  # a statement each: the order of one about all of them would be nobody's promise
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def number_of(word: str) -> int:
    """64 bits with a sign, as PostgreSQL wants them."""
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big", signed=True)


def lock(pks: Iterable[int]) -> list[Contact]:
    """These contacts as they are now, theirs until the transaction ends."""
    rows = Contact.objects.select_for_update(no_key=True).filter(pk__in=list(pks)).order_by("pk")
    return list(rows)


def lock_one(pk: int) -> Contact:
    """The same of one. Raises `Gone`."""
    if not (found := lock([pk])):
        raise Gone
    return found[0]


def at_most_a_few_times(work: Callable[[], Result]) -> Result:
    """Do it as one transaction, in which everybody is told of once; again from the start if the database took it back
    for somebody else's sake: two calls may bring the same new custom field or identifier, each for another person."""
    for attempt in range(1, TRIES):
        try:
            with transaction.atomic(), telling.as_one(Recorded):
                return work()
        except (OperationalError, IntegrityError) as error:
            if not isinstance(error, Gone) and getattr(error.__cause__, "sqlstate", "") not in GIVE_WAY:
                raise
            log.info("a call gave way to another one and is tried again (%s)", attempt)
    with transaction.atomic(), telling.as_one(Recorded):
        return work()
