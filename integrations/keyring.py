"""The key ring behind `fields.py`: AES-256-GCM, several keys at once, each value naming the key that locked it.

A sealed value is: one version byte, eight bytes of key id, a random 12-byte nonce, the cipher text with its 16-byte
tag. Version, key id and the purpose (which column) are authenticated: a value moved to another column is refused.
"""

import base64
import binascii
import os
import secrets
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
KEY_ID, NONCE, TAG = 8, 12, 16
HEAD = len(VERSION) + KEY_ID


class BadKeys(ValueError):
    """FIELD_ENCRYPTION_KEYS cannot be used; the text says why, without showing a key."""


class Unreadable(Exception):
    """A stored secret cannot be read. The text never holds any part of it."""


class KeyUnavailable(Unreadable):
    """It was locked with a key that this installation does not have."""


class Tampered(Unreadable):
    """It was changed, or copied here from somewhere else."""


class KeyRing:
    """The first key encrypts, all decrypt."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._locks = {_padded(key_id): AESGCM(key) for key_id, key in keys.items()}
        self._first = next(iter(self._locks))

    @property
    def head(self) -> bytes:
        """How every value begins that the first key locked."""
        return VERSION + self._first

    def encrypt(self, data: bytes, purpose: bytes) -> bytes:
        """Lock with the first key."""
        nonce = os.urandom(NONCE)
        return self.head + nonce + self._locks[self._first].encrypt(nonce, data, self.head + purpose)

    def decrypt(self, blob: bytes, purpose: bytes) -> bytes:
        """Unlock, or raise `KeyUnavailable` or `Tampered`."""
        head, nonce, locked = blob[:HEAD], blob[HEAD : HEAD + NONCE], blob[HEAD + NONCE :]
        if head[:1] != VERSION or len(locked) < TAG:
            raise Tampered("This is not an encrypted value.")
        lock = self._locks.get(head[1:])
        if lock is None:
            raise KeyUnavailable("The key that locked this value is not in FIELD_ENCRYPTION_KEYS.")
        try:
            return lock.decrypt(nonce, locked, head + purpose)
        except InvalidTag:
            pass  # Raised below, so that nothing hangs on to the failed attempt.
        raise Tampered("This value was changed or moved after it was locked.")


@cache
def key_ring(text: str) -> KeyRing:
    """Read "k2:<base64>,k1:<base64>"; raises `BadKeys` with one sentence."""
    keys: dict[str, bytes] = {}
    for number, entry in enumerate((part.strip() for part in text.split(",") if part.strip()), 1):
        key_id, colon, encoded = entry.partition(":")
        if not colon or not key_id.isascii() or not key_id.isalnum() or len(key_id) > KEY_ID:
            raise BadKeys(f"Entry {number} of FIELD_ENCRYPTION_KEYS must be a short name, a colon and a key (k1:…).")
        if key_id in keys:
            raise BadKeys(f"FIELD_ENCRYPTION_KEYS names the key “{key_id}” twice.")
        keys[key_id] = _key(key_id, encoded)
    if not keys:
        raise BadKeys("FIELD_ENCRYPTION_KEYS is empty; make a key with `MODE=demo python manage.py new_key`.")
    return KeyRing(keys)


def new_key(key_id: str) -> str:
    """A fresh entry for FIELD_ENCRYPTION_KEYS."""
    entry = f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"
    key_ring(entry)
    return entry


def _key(key_id: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise BadKeys(
            f"The key “{key_id}” in FIELD_ENCRYPTION_KEYS must be 32 bytes in base64 (44 characters, URL-safe)."
        )
    return key


def _padded(key_id: str) -> bytes:
    return key_id.encode("ascii").ljust(KEY_ID, b"\0")
