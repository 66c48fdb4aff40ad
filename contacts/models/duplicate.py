"""Contacts that may be one person, and merges with what it takes to undo them."""

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from contacts.models.contact import Contact
from contacts.tenancy.models import TenantOwned


class DuplicatePair(TenantOwned):
    """Two contacts that look like one person, with the reason; `first` has the lower number."""

    class Reason(models.TextChoices):
        EMAIL = "email", "Same email address"
        PHONE = "phone", "Same phone number"
        NAME = "name", "Similar name at the same address"

    first = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    reasons = models.JSONField(default=list, help_text="[[reason, what is the same]]")
    score = models.PositiveSmallIntegerField(default=0, help_text="Higher is surer; 100 at most.")
    found_at = models.DateTimeField(default=timezone.now)
    dismissed_at = models.DateTimeField(null=True, blank=True)
    dismissed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(TenantOwned.Meta):
        ordering = ["-score", "pk"]
        verbose_name = "possible duplicate"
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="pair_once"),
            models.CheckConstraint(condition=models.Q(first__lt=models.F("second")), name="pair_in_order"),
        ]
        indexes = [models.Index(fields=["tenant", "dismissed_at", "-score", "id"], name="open_pairs")]

    def __str__(self) -> str:
        return f"{self.first} and {self.second}"


class Merge(TenantOwned):
    """One contact merged into another. `taken` holds everything needed to undo it for 30 days."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kept_uid = models.UUIDField()
    gone_uid = models.UUIDField()
    gone_pk = models.BigIntegerField(default=0, help_text="So that the address of the page that is gone leads on.")
    kept_name = models.CharField(max_length=250)
    gone_name = models.CharField(max_length=250)
    taken = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(TenantOwned.Meta):
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["tenant", "-at"]),
            models.Index(fields=["tenant", "kept_uid"]),
            models.Index(fields=["tenant", "gone_pk"]),
        ]

    def __str__(self) -> str:
        return f"{self.gone_name} into {self.kept_name}"


class MergedIdentity(TenantOwned):
    """Who a contact used to be: as long as this row stands, words in the consent ledger about `gone_uid` hold for
    `kept_uid`, and its history shows there. Undoing the merge deletes the row.

    After A into B and B into C there are A is B, B is C, and A is C with `via_uid` B: one question finds everybody whom
    C has been. `at` is when `gone_uid` went into `via_uid`.
    """

    merge = models.ForeignKey(Merge, on_delete=models.CASCADE, related_name="identities")
    gone_uid = models.UUIDField()
    kept_uid = models.UUIDField()
    via_uid = models.UUIDField()
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "gone_uid", "kept_uid"], name="identity_once")]
        indexes = [models.Index(fields=["tenant", "kept_uid"])]

    def __str__(self) -> str:
        return f"{self.gone_uid} is {self.kept_uid}"


class PlaceKey(TenantOwned):
    """A contact's postal address in the form in which two spellings of it are equal; made from `PostalAddress` by
    `contacts/duplicates/places.py`, so that people at one place are found by an index."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=250)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["contact", "key"], name="place_once")]
        indexes = [models.Index(fields=["tenant", "key"])]

    def __str__(self) -> str:
        return self.key


class DuplicateSearch(TenantOwned):
    """How far the search through all contacts has come; one row for each organization. A job works on it in turns."""

    phase = models.CharField(max_length=10, blank=True, help_text="Empty when nothing is being searched.")
    cursor = models.CharField(max_length=300, blank=True)
    too_many = models.JSONField(default=list, help_text="[[reason, what, how many contacts]] that were not compared.")
    too_many_count = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    beat_at = models.DateTimeField(null=True, blank=True)
    token = models.CharField(max_length=36, blank=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_duplicate_search")]

    def __str__(self) -> str:
        return "Search for possible duplicates"
