"""Credentials: bound to their tenant and connection, and locked again with a new key while everything runs (D3)."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as _database

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant as inside
from integrations.keyring import KeyUnavailable, Tampered, Unreadable, new_key
from integrations.models import Connection, Credential
from integrations.provider_kit.errors import CallFailed, Reconnect
from integrations.providers import provider_for
from tests.factories import ConnectionFactory, TenantFactory, UserFactory

OLD, NEW = new_key("old"), new_key("new")
SECRET = {"token": "canary-river", "dc": "us21"}
database: Any = _database
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def old_key(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = OLD


def blob_of(credential: Credential) -> bytes:
    with database.cursor() as cursor:
        cursor.execute("SELECT secret FROM integrations_credential WHERE id = %s", [credential.pk])
        return bytes(cursor.fetchone()[0])


def put(credential: Credential, blob: bytes) -> None:
    with database.cursor() as cursor:
        binary = database.Database.Binary(blob)
        cursor.execute("UPDATE integrations_credential SET secret = %s WHERE id = %s", [binary, credential.pk])


def rotate(**options: Any) -> str:
    out = StringIO()
    call_command("rotate_credentials", stdout=out, **options)
    return out.getvalue()


def secret_of(tenant: Tenant) -> dict[str, Any]:
    with inside(tenant):
        return Connection.objects.get().credential.read()


@pytest.fixture
def both(tenant: Tenant, neighbour: Tenant) -> tuple[Credential, Credential]:
    """A credential of ours and one of the neighbour's."""
    made = []
    for each, token in ((tenant, "canary-river"), (neighbour, "canary-harbor")):
        with inside(each):
            made.append(Credential.store(ConnectionFactory(), {"token": token}, None))
    return made[0], made[1]


def test_store_and_read(in_tenant: Tenant) -> None:
    connection, user = ConnectionFactory(), UserFactory()
    Credential.store(connection, SECRET, user)
    kept = Connection.objects.get().credential
    assert kept.read() == SECRET
    assert kept.set_by == user


def test_storing_again_replaces(in_tenant: Tenant) -> None:
    connection = ConnectionFactory()
    Credential.store(connection, SECRET, None)
    Credential.store(connection, {"token": "second"}, None)
    assert Credential.objects.get().read() == {"token": "second"}
    assert connection.credential.read() == {"token": "second"}


def test_storing_replaces_one_that_cannot_be_read(in_tenant: Tenant, settings: Any) -> None:
    connection = ConnectionFactory()
    Credential.store(connection, SECRET, None)
    settings.FIELD_ENCRYPTION_KEYS = NEW
    with pytest.raises(KeyUnavailable):
        Credential.objects.get().read()
    Credential.store(Connection.objects.get(), {"token": "second"}, None)
    assert Credential.objects.get().read() == {"token": "second"}


def test_D3_a_blob_copied_to_another_tenants_row_is_refused(
    both: tuple[Credential, Credential], neighbour: Tenant
) -> None:
    ours, theirs = both
    put(theirs, blob_of(ours))
    with pytest.raises(Tampered):
        secret_of(neighbour)


def test_D3_a_blob_copied_to_another_connection_of_the_tenant_is_refused(in_tenant: Tenant) -> None:
    first, second = ConnectionFactory(), ConnectionFactory(provider="other")
    one = Credential.store(first, {"token": "one"}, None)
    two = Credential.store(second, {"token": "two"}, None)
    put(two, blob_of(one))
    with pytest.raises(Tampered):
        Credential.objects.get(pk=two.pk).read()
    assert Credential.objects.get(pk=one.pk).read() == {"token": "one"}


def test_a_secret_that_was_not_stored_for_a_connection_is_refused(in_tenant: Tenant) -> None:
    Credential.objects.create(connection=ConnectionFactory(), secret={"token": "unbound"})
    with pytest.raises(Tampered):
        Credential.objects.get().read()


@pytest.mark.parametrize("how", ["key gone", "tampered", "missing"])
def test_what_cannot_be_read_asks_for_a_reconnect_and_says_no_secret(
    in_tenant: Tenant, settings: Any, how: str
) -> None:
    credential = Credential.store(ConnectionFactory(), SECRET, None)
    if how == "key gone":
        settings.FIELD_ENCRYPTION_KEYS = NEW
    elif how == "tampered":
        put(credential, blob_of(credential)[:-1] + b"\0")
    else:
        credential.delete()
    with provider_for(Connection.objects.get()) as provider, pytest.raises(CallFailed) as failure:
        provider.look("audience:x", "a@rivermail.test")
    assert isinstance(failure.value.outcome, Reconnect)
    assert "canary" not in str(failure.value)


def test_D3_rotation_reencrypts_every_tenants_credentials_without_a_gap(
    both: tuple[Credential, Credential], tenant: Tenant, neighbour: Tenant, settings: Any
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = f"{NEW},{OLD}"
    assert secret_of(tenant) == {"token": "canary-river"}  # readable before …
    assert "2 encrypted again" in rotate()
    assert secret_of(tenant) == {"token": "canary-river"}  # … and after
    settings.FIELD_ENCRYPTION_KEYS = NEW  # the old key is dropped
    assert secret_of(tenant) == {"token": "canary-river"}
    assert secret_of(neighbour) == {"token": "canary-harbor"}


def test_without_rotation_dropping_the_old_key_locks_everybody_out(
    both: tuple[Credential, Credential], tenant: Tenant, settings: Any
) -> None:
    """The control of the test above."""
    settings.FIELD_ENCRYPTION_KEYS = NEW
    with pytest.raises(Unreadable):
        secret_of(tenant)


def test_a_second_rotation_finds_nothing_to_do(both: tuple[Credential, Credential], settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = f"{NEW},{OLD}"
    rotate()
    before = [blob_of(credential) for credential in both]
    assert rotate().startswith("0 encrypted again")
    assert [blob_of(credential) for credential in both] == before


def test_a_dry_run_counts_and_changes_nothing(both: tuple[Credential, Credential], settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = f"{NEW},{OLD}"
    before = [blob_of(credential) for credential in both]
    assert "2 to encrypt again" in rotate(dry_run=True)
    assert [blob_of(credential) for credential in both] == before


def test_rotation_works_in_chunks_and_goes_on_where_it_stopped(settings: Any) -> None:
    many = []
    for number in range(7):
        with inside(TenantFactory()):
            many.append(Credential.store(ConnectionFactory(), {"token": str(number)}, None))
    settings.FIELD_ENCRYPTION_KEYS = f"{NEW},{OLD}"
    with inside(many[3].tenant):
        many[3].save()  # locked with the new key already, as by a run that was stopped
    assert "6 encrypted again" in rotate(chunk=2)
    settings.FIELD_ENCRYPTION_KEYS = NEW
    assert [secret_of(each.tenant)["token"] for each in many] == [str(number) for number in range(7)]


def test_rotation_passes_over_what_it_cannot_read_and_says_so(
    both: tuple[Credential, Credential], neighbour: Tenant, settings: Any
) -> None:
    put(both[0], b"\x01nowhere0" + b"x" * 60)
    settings.FIELD_ENCRYPTION_KEYS = f"{NEW},{OLD}"
    out = StringIO()
    with pytest.raises(CommandError, match="Keep the old keys"):
        call_command("rotate_credentials", stdout=out)
    assert "1 encrypted again" in out.getvalue() and "1 unreadable" in out.getvalue()
    settings.FIELD_ENCRYPTION_KEYS = NEW
    assert secret_of(neighbour) == {"token": "canary-harbor"}


def test_a_change_during_the_rotation_wins(
    both: tuple[Credential, Credential], tenant: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reconnects just between the reading and the writing of one value."""
    from integrations.keyring import KeyRing

    settings.FIELD_ENCRYPTION_KEYS = f"{NEW},{OLD}"
    decrypt, busy = KeyRing.decrypt, list[bool]()

    def meanwhile(ring: KeyRing, blob: bytes, purpose: bytes) -> bytes:
        plain = decrypt(ring, blob, purpose)
        if b"canary-river" in plain and not busy:
            busy.append(True)
            with inside(tenant):
                Credential.store(Connection.objects.get(), {"token": "newer"}, None)
        return plain

    monkeypatch.setattr(KeyRing, "decrypt", meanwhile)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("rotate_credentials", stdout=out)
    assert "1 changed meanwhile" in out.getvalue()
    assert secret_of(tenant) == {"token": "newer"}
