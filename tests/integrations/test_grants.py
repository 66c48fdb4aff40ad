"""Grants that expire (L2): many workers, one rotating token; a grant that is really gone; nothing queued is lost."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.utils import timezone

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant as in_a_tenant
from integrations import jobs
from integrations.models import Connection, Credential, RemoteRecord
from integrations.provider_kit import grants
from integrations.provider_kit.errors import CallFailed, Reconnect, Retry
from integrations.providers import provider_for
from integrations.sync import keeping
from tests.conftest import constant_contact_settings
from tests.integrations.constant_contact import ConstantContactWorld

WORKERS = 5
ANA = "ana@rivermail.test"
# What a worker of another process does: it waits for the others, and then needs a fresh token.
WORK = """
import sys, time, pathlib, django
django.setup()
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from integrations.models import Connection
from integrations.providers import provider_for
tenant, pk, folder, name = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3]), sys.argv[4]
with in_tenant(Tenant.objects.get(pk=tenant)):
    connection = Connection.objects.get(pk=pk)
    connection.credential.read()  # what everybody believes before the token is found to be old
    (folder / name).touch()
    while not (folder / "go").exists():
        time.sleep(0.02)
    with provider_for(connection) as provider:
        provider.look("account", "nobody@rivermail.test")
"""


@pytest.fixture
def world(tenant: Tenant, constant_contact: Any, quick_activities: None) -> Any:
    """A vendor as unforgiving as can be: a spent token that is used again kills the grant."""
    constant_contact.options.reuse_kills_grant = True
    with in_a_tenant(tenant):
        yield ConstantContactWorld(tenant, constant_contact)


def renewals(world: ConstantContactWorld) -> list[int]:
    """The status of each answer of the token address."""
    return [call["status"] for call in world.calls() if call["path"].endswith("/token")]


def look(world: ConstantContactWorld) -> None:
    """Anything that needs the token."""
    with provider_for(Connection.objects.get(pk=world.connection.pk)) as provider:
        provider.look("account", "nobody@rivermail.test")


def at_once(world: ConstantContactWorld, work: Callable[[], None]) -> list[BaseException]:
    """Do this in several threads, each with its own line to the database; what went wrong."""
    problems: list[BaseException] = []
    together = threading.Barrier(WORKERS)

    def run() -> None:
        try:
            with in_a_tenant(world.tenant):
                together.wait(20)
                work()
        except BaseException as problem:  # noqa: BLE001  it is looked at below
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return problems


@pytest.mark.django_db(transaction=True)
def test_L2_workers_that_renew_one_rotating_token_at_once_lose_nothing(world: ConstantContactWorld) -> None:
    world.act("holder", "expire_tokens")
    world.sandbox.faults.latency_ms = 60
    assert at_once(world, lambda: look(world)) == []
    assert renewals(world) == [200]
    world.act("holder", "expire_tokens")
    look(world)  # what is stored is the newest
    assert renewals(world) == [200, 200]
    assert Credential.objects.get().lease_token == ""


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lease_the_connection_is_lost(
    world: ConstantContactWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Credential, "take_lease", lambda self, seconds: "mine")
    world.act("holder", "expire_tokens")
    world.sandbox.faults.latency_ms = 60
    at_once(world, lambda: look(world))
    assert 400 in renewals(world)
    world.act("holder", "expire_tokens")
    with pytest.raises(CallFailed) as failure:
        look(world)
    assert isinstance(failure.value.outcome, Reconnect)


@pytest.mark.django_db(transaction=True)
def test_L2_processes_that_renew_one_rotating_token_at_once_lose_nothing(
    world: ConstantContactWorld, database_url: str, tmp_path: Path
) -> None:
    world.act("holder", "expire_tokens")
    world.sandbox.faults.latency_ms = 60
    values = {**constant_contact_settings(world.sandbox.url), "OUTGOING_PRIVATE_NETWORKS": "127.0.0.0/8"}
    environment = {**os.environ, **{name: str(value) for name, value in values.items()}, "DATABASE_URL": database_url}
    environment["DJANGO_SETTINGS_MODULE"] = os.environ.get("DJANGO_SETTINGS_MODULE", "tests.settings")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, str(world.tenant.pk), str(world.connection.pk), str(tmp_path), f"w{number}"],
            cwd=django_settings.BASE_DIR, env=environment,
        )
        for number in range(2)
    ]  # fmt: skip
    until = time.monotonic() + 60
    while len(list(tmp_path.glob("w*"))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    (tmp_path / "go").touch()
    assert [process.wait(60) for process in running] == [0, 0]
    assert renewals(world) == [200]


@pytest.mark.django_db
def test_L2_a_grant_revoked_in_mid_run_pauses_and_reconnecting_goes_on(
    world: ConstantContactWorld, monkeypatch
) -> None:
    one = world.a_list()
    people = [world.person(f"p{number}@rivermail.test", one) for number in range(4)]
    calls, call = [], world.sandbox.answer

    def revoke_after_two(request: Any) -> Any:
        calls.append(request.path)
        if calls.count("/v3/contacts") == 3:
            world.act("holder", "revoke")
            world.act("holder", "expire_tokens")
        return call(request)

    monkeypatch.setattr(world.sandbox, "answer", revoke_after_two)
    world.push()
    world.connection.refresh_from_db()
    assert world.connection.state == Connection.State.RECONNECT
    assert "Connect again" in world.connection.reason
    owing = RemoteRecord.objects.filter(due_at__isnull=False, kind="contact")
    assert 0 < owing.count() < 4
    people[0].first_name = "Changed meanwhile"
    people[0].save()
    silent = len(world.calls())
    world.push()
    assert len(world.calls()) == silent  # nobody is called while it is paused
    world.grant = world.sandbox.grant()
    Credential.store(world.connection, world.secret(), None)
    Connection.objects.update(state=Connection.State.ACTIVE)
    world.push()
    assert [world.seen(each, one) for each in people] == ["on"] * 4
    assert world.first_name("p0@rivermail.test", one) == "Changed meanwhile"
    assert not owing.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "state"), [("rotating", "reconnect"), ("long-lived", "active")])
def test_L2_a_crash_between_the_answer_and_the_writing_costs_a_rotating_grant_only(
    world: ConstantContactWorld, monkeypatch: pytest.MonkeyPatch, mode: str, state: str
) -> None:
    """The one gap that is left: it is why an operator chooses long-lived tokens. Nothing queued is lost in either."""
    world.sandbox.options.refresh_mode = mode
    ana = world.person(ANA, world.a_list())
    world.act("holder", "expire_tokens")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Credential, "renew", lambda *args, **more: (_ for _ in ()).throw(KeyboardInterrupt))
        world.push()
    Connection.objects.update(lease_until=None)
    Credential.objects.update(lease_until=None)
    world.push()
    world.connection.refresh_from_db()
    assert world.connection.state == state
    assert (world.record(ana).due_at is not None) == (mode == "rotating")


@pytest.mark.django_db
def test_L2_who_connected_anew_while_the_old_grant_was_being_renewed_is_not_sent_away(
    world: ConstantContactWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    from integrations.providers.constant_contact import account

    world.act("holder", "revoke")
    world.act("holder", "expire_tokens")
    ask = account.renew

    def meanwhile(secret: Any) -> Any:
        world.grant = world.sandbox.grant()
        Credential.store(world.connection, world.secret(), None)
        return ask(secret)

    monkeypatch.setattr(account, "renew", meanwhile)
    look(world)
    assert renewals(world) == [400]


@pytest.mark.django_db
def test_L2_somebody_who_takes_too_long_is_waited_for_and_then_it_is_tried_later(
    world: ConstantContactWorld, settings: Any
) -> None:
    settings.CALL_DEADLINE_SECONDS = 0.2
    assert world.connection.credential.take_lease(60)
    world.act("holder", "expire_tokens")
    with pytest.raises(CallFailed) as failure:
        look(world)
    assert isinstance(failure.value.outcome, Retry) and renewals(world) == []
    Credential.objects.update(lease_until=timezone.now() - timedelta(seconds=1))  # whoever held it is dead
    look(world)


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["erased", "unreadable"])
def test_L2_a_key_that_is_gone_or_cannot_be_read_asks_to_connect_again(world: ConstantContactWorld, what: str) -> None:
    world.act("holder", "expire_tokens")
    if what == "erased":
        Credential.objects.all().delete()
    else:
        credential = Credential.objects.get()
        credential.secret = {"for": "somebody else", "secret": {}}
        credential.save()
    provider = provider_for(Connection.objects.get())
    with pytest.raises(CallFailed) as failure:
        grants.Grant(provider, lambda secret: {}).renewed("stale")
    assert isinstance(failure.value.outcome, Reconnect)


# --- grants that nobody uses ---


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "is_renewed"), [(29, False), (31, True)])
def test_L2_a_grant_that_was_not_used_for_a_month_is_renewed_at_night(
    world: ConstantContactWorld, neighbour: Tenant, monkeypatch: pytest.MonkeyPatch, days: int, is_renewed: bool
) -> None:
    with in_a_tenant(neighbour):
        other = world.another(neighbour, "harbor")
    Connection.objects.filter(pk=world.connection.pk).update(
        state=Connection.State.READY, retry_at=timezone.now() + timedelta(days=9)
    )
    Credential.objects.update(set_at=timezone.now() - timedelta(days=days))
    rung: list[tuple[str, int]] = []
    monkeypatch.setattr(jobs, "async_task", lambda *args: rung.append(args))
    jobs.keep_grants_alive()
    assert rung == ([("integrations.jobs.keep_alive", world.connection.pk)] if is_renewed else [])
    for _, pk in rung:
        jobs.keep_alive(pk)
    assert renewals(world) == [200] * is_renewed
    assert keeping.idle() == []
    with in_a_tenant(neighbour):
        assert Credential.objects.get(connection=other.connection).renewed_at is None


@pytest.mark.django_db
def test_L2_a_grant_that_died_of_disuse_is_told_and_trouble_is_left_for_the_next_night(
    world: ConstantContactWorld,
) -> None:
    world.sandbox.faults = world.sandbox.faults.from_json({"kinds": ["500"], "path": "oauth2"})
    jobs.keep_alive(world.connection.pk)
    assert Connection.objects.get().state == Connection.State.ACTIVE
    world.sandbox.faults = world.sandbox.faults.from_json({})
    world.act("holder", "revoke")
    jobs.keep_alive(world.connection.pk)
    assert Connection.objects.get().state == Connection.State.RECONNECT
