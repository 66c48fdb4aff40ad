"""What opens the door at a vendor, encrypted; and the lease that lets one worker at a time renew it."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from contacts.tenancy.models import TenantOwned, User
from integrations.fields import EncryptedJSONField
from integrations.keyring import Tampered
from integrations.models.connection import Connection


class Credential(TenantOwned):
    """What opens the door at the vendor. Encrypted; read only by the provider's client; never shown again."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="credential")
    secret = EncryptedJSONField(help_text="Bound to its tenant: copied to another tenant's row it cannot be read.")
    set_at = models.DateTimeField(default=timezone.now)
    set_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    renewed_at = models.DateTimeField(null=True, blank=True, help_text="When a grant that expires was last renewed.")
    # One worker at a time renews it, judged by the database's clock.
    lease_token = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        pass

    def __str__(self) -> str:
        return f"Credential for {self.connection}"

    def __repr__(self) -> str:
        return "<Credential>"

    @classmethod
    def store(cls, connection: Connection, secret: Mapping[str, Any], user: User | None) -> "Credential":
        """Keep this secret in place of any other, bound to the tenant and the connection."""
        sealed = {"for": cls._binding(connection), "secret": dict(secret)}
        credential, _ = cls.objects.update_or_create(
            connection=connection, defaults={"secret": sealed, "set_at": timezone.now(), "set_by": user}
        )
        connection.credential = credential
        return credential

    def read(self) -> dict[str, Any]:
        """The secret. Raises `KeyUnavailable`, or `Tampered` if it was changed or copied from another row."""
        sealed = self.secret
        if not isinstance(sealed, dict) or sealed.get("for") != self._binding(self.connection):
            raise Tampered("This credential was not stored for this connection.")
        return dict(sealed["secret"])

    # --- a grant that expires (provider_kit/grants.py) ---
    def read_anew(self) -> dict[str, Any]:
        """The secret as it is stored now, whoever wrote it. Raises `ObjectDoesNotExist` when it was erased."""
        self.refresh_from_db(fields=["secret", "set_by"])
        return self.read()

    def take_lease(self, seconds: float) -> str:
        """The right to renew it, for so long; "" if somebody else has it.

        Not in a transaction: a new grant that a rollback takes away again is lost, for the old one is used up.
        """
        token = str(uuid.uuid4())
        with transaction.atomic(durable=True):
            free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
            mine = Credential.objects.filter(free, pk=self.pk)
            taken = mine.update(lease_token=token, lease_until=Now() + timedelta(seconds=seconds))
        return token if taken else ""

    def give_back(self, token: str) -> None:
        """Let the next one renew it."""
        Credential.objects.filter(pk=self.pk, lease_token=token).update(lease_token="", lease_until=None)

    def renew(self, news: Mapping[str, Any], instead_of: Mapping[str, Any]) -> dict[str, Any]:
        """Keep what the vendor gave for these parts of the secret; what is stored from then on.

        If the stored ones are others by now, somebody has connected anew meanwhile, and theirs stay.
        """
        with transaction.atomic(durable=True):
            Connection.objects.select_for_update().get(pk=self.connection_id)  # as everybody does who changes it
            stored = self.read_anew()
            if all(stored.get(key) == value for key, value in instead_of.items()):
                stored |= news
                self.secret = {"for": self._binding(self.connection), "secret": stored}  # type: ignore[assignment]
                self.renewed_at = timezone.now()
                self.save(update_fields=["secret", "renewed_at"])
        return stored

    @staticmethod
    def _binding(connection: Connection) -> str:
        return f"{connection.tenant_id}/{connection.uid}"
