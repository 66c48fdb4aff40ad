"""Calls of programs that were answered at once and are worked on afterwards (O9): a row each, so that none is lost."""

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned
from gifts.models.fundraising import FundraisingPage


class BackgroundCall(TenantOwned):
    """What a program sent, already found to be well formed. A call that is done leaves no row: it holds the data of a
    person. One that failed stays until staff try it again or put it aside."""

    class Verb(models.TextChoices):
        RECORD_DONATION = "record_donation", "Record a donation"
        UPDATE_DONATION = "update_donation", "Change a donation"
        SIGN_UP = "sign_up", "Find or add a person"
        UPDATE_PERSON = "update_person", "Change a person"
        ADD_TAG = "add_tag", "Tag a person"
        REMOVE_TAG = "remove_tag", "Take a tag off a person"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        FAILED = "failed", "Failed"

    verb = models.CharField("what", max_length=16, choices=Verb.choices)
    page = models.ForeignKey(FundraisingPage, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    target = models.UUIDField(null=True, help_text="The donation, person or tagging that it is about, if one.")
    given = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    is_blind = models.BooleanField("without a key", default=False)
    joins = models.ForeignKey(
        "contacts.ContactList", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )  # fmt: skip
    words = models.CharField("by", max_length=100, help_text="Whose key it was, for the histories.")
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    reason = models.CharField("why it failed", max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField("tried", default=0)
    received_at = models.DateTimeField("came in", default=timezone.now)
    tried_at = models.DateTimeField("last tried", null=True)
    retried_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(TenantOwned.Meta):
        ordering = ["pk"]
        verbose_name = "failed report"
        verbose_name_plural = "failed reports"
        indexes = [models.Index(fields=["tenant", "state", "id"], name="background_by_state")]

    def __str__(self) -> str:
        return f"{self.get_verb_display()} of {timezone.localtime(self.received_at):%b %-d, %Y, %H:%M}"
