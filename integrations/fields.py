"""Encrypted model fields: django-fernet-fields with AES-256-GCM and our key ring in place of Fernet's AES-128.

From the package come the column type and the refusal of every look-up but `isnull`; ours are the cipher, JSON, and
three remedies: `bulk_update` (the package stored the text of an SQL expression), reading only on use (one unreadable
value must not break a page of others), and silence towards forms, dumps and histories.
"""

import json
from typing import Any

import fernet_fields
from django.conf import settings
from django.core import checks
from django.db.models.query_utils import DeferredAttribute

from integrations.keyring import BadKeys, KeyRing, key_ring


class Sealed:
    """A value as the database holds it; `open()` decrypts it."""

    def __init__(self, field: "EncryptedTextField", blob: bytes) -> None:
        self.field, self.blob = field, blob

    def open(self) -> Any:
        """The plain value; raises `Unreadable`."""
        return self.field.loads(self.field.ring.decrypt(self.blob, self.field.purpose).decode())


class OpenedOnUse(DeferredAttribute):
    """The attribute on the model: decrypts when somebody asks for the value."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = instance.__dict__[self.field.attname] = value.open()
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(fernet_fields.EncryptedTextField):  # type: ignore[misc]
    """Text, encrypted. The name of model and column is bound into the value: renaming either needs a data migration."""

    descriptor_class = OpenedOnUse

    @property
    def ring(self) -> KeyRing:
        return key_ring(settings.FIELD_ENCRYPTION_KEYS)

    @property
    def purpose(self) -> bytes:
        return f"{self.model._meta.label_lower}.{self.attname}".encode()

    def dumps(self, value: Any) -> str:
        return str(value)

    def loads(self, text: str) -> Any:
        return text

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None or hasattr(value, "as_sql"):  # bulk_update hands in an expression that holds our value
            return value
        blob = value.blob if isinstance(value, Sealed) else self.ring.encrypt(self.dumps(value).encode(), self.purpose)
        return connection.Database.Binary(blob)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(self, bytes(value))

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        return model_instance.__dict__.get(self.attname)  # What nobody opened is saved as it is.

    def value_from_object(self, obj: Any) -> None:
        return None  # Forms, dumpdata and histories ask here, and are told nothing.

    def value_to_string(self, obj: Any) -> str:
        return ""

    def formfield(self, *args: Any, **kwargs: Any) -> None:
        return None

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        try:
            self.ring  # noqa: B018 - reading the keys is the check
        except BadKeys as problem:
            return [*super().check(**kwargs), checks.Error(str(problem), obj=self, id="integrations.E001")]
        return list(super().check(**kwargs))


class EncryptedJSONField(EncryptedTextField):
    """Anything that JSON can say, encrypted."""

    def dumps(self, value: Any) -> str:
        return json.dumps(value, separators=(",", ":"))

    def loads(self, text: str) -> Any:
        return json.loads(text)

    def to_python(self, value: Any) -> Any:
        return value
