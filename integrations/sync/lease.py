"""One worker at a time on a connection: a lease with a fencing token, judged by the database's clock."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models import Connection
from integrations.supervisor.identity import holder


class LeaseLost(RuntimeError):
    """Somebody else has taken over the connection; whoever held it before must stop."""


class Lease:
    """Held while working on a connection; outlives the longest call, is renewed in between, and given back."""

    def __init__(self, connection: Connection, token: str) -> None:
        self.connection = connection
        self.token = token

    @classmethod
    def take(cls, connection: Connection) -> "Lease | None":
        """The lease, or None if somebody else is at work there."""
        token = str(uuid.uuid4())
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
        taken = Connection.objects.filter(free, pk=connection.pk).update(
            lease_token=token,
            lease_holder=holder()[:120],
            lease_until=Now() + timedelta(seconds=settings.LEASE_SECONDS),
        )
        return cls(connection, token) if taken else None

    def renew(self) -> None:
        """Extend it; raises `LeaseLost` if it is no longer ours."""
        mine = Connection.objects.filter(pk=self.connection.pk, lease_token=self.token)
        if not mine.update(lease_until=Now() + timedelta(seconds=settings.LEASE_SECONDS)):
            raise LeaseLost

    def give_back(self) -> None:
        """Let the next one in."""
        Connection.objects.filter(pk=self.connection.pk, lease_token=self.token).update(
            lease_until=None, lease_token="", lease_holder="", served_at=Now()
        )
