"""Webhooks out: an address of others that is told of thank-yous, and what it was told (T8). The rows of what is to be
told are the outbox: they are written in the transaction of the change."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned
from integrations.fields import EncryptedTextField


class OutgoingHook(TenantOwned):
    """An address that wants to be told. `paused_at`: it has failed for days, and nothing is sent until staff resume."""

    class Kind(models.TextChoices):
        CREATED = "task.created", "A donor is to be thanked"
        CHANGED = "task.changed", "A thank-you has changed"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    url = models.CharField("address", max_length=500)
    kinds = models.CharField(max_length=100)  # words, separated by spaces
    secret = EncryptedTextField()
    old_secret = EncryptedTextField(null=True)  # signs as well until then, so that a new one costs no message
    old_secret_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    failing_since = models.DateTimeField(null=True)  # nothing has arrived since then
    paused_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)  # one worker at a time
    rests_until = models.DateTimeField(null=True)  # it takes nothing just now; others are not kept waiting for it

    class Meta(TenantOwned.Meta):
        ordering = ["created_at", "pk"]
        verbose_name = "webhook"

    def __str__(self) -> str:
        return self.url

    @property
    def kinds_in_words(self) -> list[str]:
        """What it is told."""
        return [str(kind.label) for kind in self.Kind if kind.value in self.kinds.split()]

    @property
    def old_secret_signs(self) -> bool:
        """Whether the secret before this one still signs as well."""
        return self.old_secret_until is not None and self.old_secret_until > timezone.now()

    @property
    def secrets(self) -> list[str]:
        """What signs now."""
        return [self.secret, self.old_secret] if self.old_secret_signs else [self.secret]


class HookDelivery(TenantOwned):
    """One message to one address. Its `uid` is the same whenever it is sent again: the receiver counts it once."""

    class State(models.TextChoices):
        DUE = "due", "On its way"
        DONE = "done", "Arrived"
        FAILED = "failed", "Not delivered"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    hook = models.ForeignKey(OutgoingHook, on_delete=models.CASCADE, related_name="deliveries")
    TEST = "test"
    kind = models.CharField(max_length=20, choices=[*OutgoingHook.Kind.choices, (TEST, "A test, sent by hand")])
    task_uid = models.UUIDField(null=True)  # a test is of none
    at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=6, choices=State.choices, default=State.DUE)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    tried_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)  # what the address answered; empty when it did not
    answer = models.CharField(max_length=250, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-at", "-pk"]
        verbose_name = "message of a webhook"
        indexes = [
            models.Index(fields=["hook", "-at", "-id"], name="hook_messages"),
            models.Index(fields=["hook", "next_at", "id"], name="hook_outbox", condition=models.Q(state="due")),
            models.Index(fields=["hook", "task_uid"], name="hook_same", condition=models.Q(state="due")),
            models.Index(fields=["tenant", "at"], name="hook_messages_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"
