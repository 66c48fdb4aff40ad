"""Encrypted model fields (the remedy for django-fernet-fields lives here)."""

from fernet_fields import EncryptedTextField


class EncryptedJSONField(EncryptedTextField):
    """Placeholder until the key ring is in."""
