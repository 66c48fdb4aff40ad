"""Households: people who live together and are greeted together (L8)."""

import uuid

from django.db import models
from django.utils import timezone

from contacts.models.recorded import Recorded


class Household(Recorded):
    """Some contacts who belong together. Who is in it is said by `Contact.household`.

    Where they share an email address, newsletters greet them all; who merely shares an address without a household
    is greeted by the name of the one changed last.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200, help_text="Such as The Okoro family.")
    greeting = models.CharField(
        max_length=200, blank=True, help_text="Left empty, it is made from the first names: Ada and Ben."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(Recorded.Meta):
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name
