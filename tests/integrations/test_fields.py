"""Encrypted columns: what the database holds, what is refused, and the faults of the package that we mend (D2, D3)."""

import base64
from io import StringIO
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection as _database
from django.forms import modelform_factory, models

from contacts.tenancy.models import Tenant
from integrations.fields import EncryptedJSONField, EncryptedTextField
from integrations.keyring import BadKeys, KeyRing, KeyUnavailable, Tampered, key_ring, new_key
from integrations.models import Connection, Credential
from tests.factories import ConnectionFactory

# Fixed, because test processes must agree on the names of their tests, and keys stand in some of them.
OLD, NEW = (f"{name}:{base64.b64encode((name * 11)[:32].encode()).decode()}" for name in ("old", "new"))
SECRET = {"token": "tok-β-1234", "more": [1, None, {"deep": True}]}

database: Any = _database
pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(in_tenant: Tenant) -> Connection:
    return ConnectionFactory()


@pytest.fixture
def credential(connection: Connection) -> Credential:
    return Credential.objects.create(connection=connection, secret=SECRET)


def stored(credential: Credential) -> bytes:
    """The bytes in the database."""
    with database.cursor() as cursor:
        cursor.execute("SELECT secret FROM integrations_credential WHERE id = %s", [credential.pk])
        return bytes(cursor.fetchone()[0])


def put(credential: Credential, blob: bytes) -> None:
    with database.cursor() as cursor:
        binary = database.Database.Binary(blob)
        cursor.execute("UPDATE integrations_credential SET secret = %s WHERE id = %s", [binary, credential.pk])


def fresh(credential: Credential) -> Credential:
    return Credential.objects.get(pk=credential.pk)


def test_D3_a_secret_comes_back_and_the_database_never_holds_it(credential: Credential) -> None:
    assert fresh(credential).secret == SECRET
    assert b"tok-" not in stored(credential)
    assert b"token" not in stored(credential)


def test_D3_the_cipher_is_aes_256_gcm_with_the_first_key(credential: Credential, settings: Any) -> None:
    """Decrypted here without our code: 32 bytes of key, the documented layout, the column as associated data."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = base64.urlsafe_b64decode(settings.FIELD_ENCRYPTION_KEYS.partition(",")[0].partition(":")[2])
    blob = stored(credential)
    assert len(key) == 32
    plain = AESGCM(key).decrypt(blob[9:21], blob[21:], blob[:9] + b"integrations.credential.secret")
    assert b"tok-" in plain


def test_the_same_secret_never_looks_the_same_twice(credential: Credential) -> None:
    first = stored(credential)
    credential.save()
    assert stored(credential) != first


@pytest.mark.parametrize("place", [0, 1, 8, 9, 20, 21, -1])
def test_D3_a_tampered_bit_is_refused(credential: Credential, place: int) -> None:
    blob = bytearray(stored(credential))
    blob[place] ^= 1
    put(credential, bytes(blob))
    with pytest.raises((Tampered, KeyUnavailable)):
        _ = fresh(credential).secret


@pytest.mark.parametrize("blob", [b"", b"\x01", b"\x01" * 30, b"plain text that nobody ever encrypted"])
def test_D3_what_is_no_encrypted_value_is_refused(credential: Credential, blob: bytes) -> None:
    put(credential, blob)
    with pytest.raises((Tampered, KeyUnavailable)):
        _ = fresh(credential).secret


def test_D3_a_value_of_an_unknown_key_says_so(credential: Credential, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = NEW
    with pytest.raises(KeyUnavailable, match="FIELD_ENCRYPTION_KEYS"):
        _ = fresh(credential).secret


def test_a_value_moved_to_another_column_is_refused() -> None:
    ring = key_ring(OLD)
    blob = ring.encrypt(b"secret", b"integrations.credential.secret")
    assert ring.decrypt(blob, b"integrations.credential.secret") == b"secret"
    with pytest.raises(Tampered):
        ring.decrypt(blob, b"integrations.other.secret")


def test_null_stays_null() -> None:
    field: Any = EncryptedTextField(null=True)
    assert field.get_db_prep_save(None, database) is None
    assert field.from_db_value(None, None, database) is None


def test_one_unreadable_value_breaks_no_list_of_others(credential: Credential, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = NEW
    assert [str(row) for row in Credential.objects.all()]
    assert Connection.objects.select_related("credential").get().credential.set_at
    row = fresh(credential)
    before = stored(row)
    row.save()  # somebody changes another field
    assert stored(row) == before
    credential.connection.delete()
    assert not Credential.objects.exists()


def test_update_bulk_create_and_bulk_update_encrypt(in_tenant: Tenant, credential: Credential) -> None:
    Credential.objects.filter(pk=credential.pk).update(secret={"token": "by update"})
    assert fresh(credential).secret == {"token": "by update"}
    credential.secret = {"token": "by bulk_update"}  # type: ignore[assignment]
    Credential.objects.bulk_update([credential], ["secret"])
    assert fresh(credential).secret == {"token": "by bulk_update"}
    assert b"CASE" not in stored(credential)
    connection = credential.connection
    credential.delete()
    Credential.objects.bulk_create([Credential(connection=connection, secret={"token": "by bulk_create"})])
    assert Credential.objects.get().secret == {"token": "by bulk_create"}


def test_the_package_alone_loses_the_value_in_bulk_update() -> None:
    """The control of the test above: what django-fernet-fields does to the expression that bulk_update hands in."""
    import fernet_fields
    from django.db.models import Value

    theirs: Any = fernet_fields.EncryptedTextField()
    expression = Value("secret")
    assert theirs.get_db_prep_save(expression, database) is not expression
    ours: Any = EncryptedJSONField()
    assert ours.get_db_prep_save(expression, database) is expression


@pytest.mark.parametrize("lookup", ["exact", "iexact", "contains", "startswith", "in", "gt", "lt", "regex", "range"])
def test_look_ups_are_refused(credential: Credential, lookup: str) -> None:
    value = ["x", "y"] if lookup in ("in", "range") else "x"
    with pytest.raises(FieldError):
        list(Credential.objects.filter(**{f"secret__{lookup}": value}))


def test_look_ups_inside_the_json_are_refused(credential: Credential) -> None:
    with pytest.raises(FieldError):
        list(Credential.objects.filter(secret__token="x"))


def test_asking_for_null_is_allowed(credential: Credential) -> None:
    assert Credential.objects.filter(secret__isnull=False).count() == 1


def test_D2_forms_dumps_and_reprs_show_nothing(credential: Credential) -> None:
    assert "secret" not in modelform_factory(Credential, fields="__all__").base_fields  # type: ignore[arg-type]
    assert models.model_to_dict(credential)["secret"] is None
    assert "tok-" not in serializers.serialize("json", [credential])
    assert "tok-" not in repr(credential) + str(credential)
    assert "tok-" not in repr(list(Credential.objects.values("secret")))


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("", "is empty"),
        (" , ", "is empty"),
        ("k1", "short name, a colon"),
        (":" + "A" * 43 + "=", "short name, a colon"),
        ("a-name:" + "A" * 43 + "=", "short name, a colon"),
        ("muchtoolong:" + "A" * 43 + "=", "short name, a colon"),
        ("k1:short", "32 bytes"),
        ("k1:" + base64.urlsafe_b64encode(b"x" * 31).decode(), "32 bytes"),
        ("k1:" + base64.urlsafe_b64encode(b"x" * 33).decode(), "32 bytes"),
        ("k1:not base64 at all, really", "32 bytes"),
        (f"{NEW},{NEW}", "twice"),
    ],
)
def test_D3_bad_keys_are_refused_with_a_sentence_that_shows_none(keys: str, says: str) -> None:
    with pytest.raises(BadKeys, match=says) as refusal:
        key_ring(keys)
    encoded = keys.partition(":")[2]
    assert not encoded or encoded not in str(refusal.value)


def test_D3_bad_keys_are_found_by_the_checks_at_the_start(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = "k1:tooshort"
    errors = Credential._meta.get_field("secret").check()
    assert [error.id for error in errors] == ["integrations.E001"]
    assert "32 bytes" in errors[0].msg


def test_a_key_in_the_environment_may_also_be_plain_base64() -> None:
    assert isinstance(key_ring("k1:" + base64.b64encode(bytes(range(32))).decode().replace("+", "-")), KeyRing)


def test_new_key_prints_an_entry_that_works() -> None:
    out = StringIO()
    call_command("new_key", "spring", stdout=out)
    entry = out.getvalue().strip()
    assert entry.startswith("spring:")
    ring = key_ring(entry)
    assert ring.decrypt(ring.encrypt(b"x", b"p"), b"p") == b"x"


def test_new_key_makes_another_key_each_time() -> None:
    assert new_key("a") != new_key("a")


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("", "missing or still the example"),
        ("dev1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "missing or still the example"),
        ("k1:tooshort", "32 bytes"),
        (NEW, ""),
    ],
)
def test_D3_production_does_not_start_with_a_bad_key(keys: str, says: str) -> None:
    import os
    import subprocess
    import sys

    good = {
        "MODE": "production", "SECRET_KEY": "".join(map(chr, range(48, 118))), "ALLOWED_HOSTS": "almoner.test",
        "PUBLIC_URL": "https://almoner.test", "FIELD_ENCRYPTION_KEYS": keys,
    }  # fmt: skip
    started = subprocess.run(
        [sys.executable, "-c", "import config.settings"], env={**os.environ, **good}, capture_output=True, text=True
    )
    assert (started.returncode == 0) is (not says)
    assert says in started.stderr
