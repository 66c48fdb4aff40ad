"""The worker's processes are killed at random while a Sync runs and people edit: nothing lost, nothing doubled.

The checker reads the sandbox and the contacts, never the engine's own tables. Its control shows that it can fail.
`ALMONER_STORM=2000:20` runs the long form: so many contacts, so many kills.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from django.conf import settings as installation
from django.db.models import QuerySet
from django_q.models import OrmQ

from contacts import services
from contacts.models import Contact, ContactList
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from integrations import jobs
from integrations.models import Connection, RemoteRecord
from integrations.sync import runs
from tests.fakes import control
from tests.integrations.engine import World, tag_names

PEOPLE, KILLS = (int(part) for part in os.environ.get("ALMONER_STORM", "300:5").split(":"))
PATIENCE = 240 + KILLS * 30  # seconds until it must have converged; far above what it takes
FAULTS = ["429", "403_empty", "500", "502_html", "cut", "invalid_json", "done_unanswered"]


class Storm:
    """`manage.py worker` on the test's database, killed piece by piece, and replaced when its head is gone."""

    def __init__(self, url: str, sandbox: Any, log: Any) -> None:
        self.log, self.url = log, url
        self.environment = os.environ | {
            "MODE": "test", "DATABASE_URL": url, "Q_WORKERS": "2", "LEASE_SECONDS": "20", "CALL_DEADLINE_SECONDS": "10",
            "BACKOFF_BASE_SECONDS": "0.05", "BACKOFF_MAX_SECONDS": "1", "MAILCHIMP_CLIENT_ID": "almoner-sandbox",
            "MAILCHIMP_CLIENT_SECRET": "almoner-sandbox-secret", "MAILCHIMP_LOGIN_URL": sandbox.url,
            "MAILCHIMP_API_URL": sandbox.url + "/{dc}", "OUTGOING_PRIVATE_NETWORKS": "127.0.0.0/8",
        }  # fmt: skip
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=installation.BASE_DIR, env=self.environment,
            stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip
        self.family = psutil.Process(self.process.pid)

    def kill_somebody(self, chance: random.Random) -> None:
        """SIGKILL to a random process of the tree; whoever runs the machine starts the worker again if it is gone."""
        tree = [self.family, *self.family.children(recursive=True)]
        victim = chance.choice(tree)
        victim.kill()
        if victim.pid == self.process.pid:
            self.process.wait()
            self.start()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        # Clusters whose head was killed end by themselves, but not before the next test begins.
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("DATABASE_URL") == self.url and "worker" in process.cmdline():
                    process.kill()


@pytest.fixture
def storm(database_url: str, sandbox: Any, tmp_path: Any) -> Iterator[Storm]:
    with (tmp_path / "worker.log").open("wb") as log:
        running = Storm(database_url, sandbox, log)
        yield running
        running.stop()


def verdict(world: World) -> list[str]:
    """What is wrong at the sandbox, judged by the contacts here; empty when nothing is lost and nothing doubled."""
    wrong = []
    wanted = {
        contact.primary_email.address: (
            contact.first_name,
            sorted(m.contact_list.name for m in contact.memberships.all()),
        )
        for contact in Contact.objects.prefetch_related("email_addresses", "memberships__contact_list")
        if not contact.do_not_contact
    }
    out = {c.primary_email.address for c in Contact.objects.filter(do_not_contact=True)}
    [audience] = world.sandbox.state({"account": world.login})["accounts"][world.login]["audiences"]
    held = {m["email_address"]: m for m in audience["members"]}
    for address, (name, lists) in wanted.items():
        member = held.get(address)
        if not lists:
            continue
        if member is None or member["status"] != "subscribed":
            wrong.append(f"{address} is missing")
        elif (member["merge_fields"]["FNAME"], sorted(tag_names(member))) != (name, lists):
            wrong.append(f"{address} differs")
    wrong += [f"{a} opted out and is subscribed" for a in out if held.get(a, {}).get("status") == "subscribed"]
    names = Counter(segment["name"] for segment in audience["segments"])
    ours = set(ContactList.objects.values_list("name", flat=True))
    wrong += [f"the list {name} is there {count} times" for name, count in names.items() if name in ours and count > 1]
    return wrong


def wait_until(what: Callable[[], bool], seconds: float) -> bool:
    """Whether it became true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(1)
    return what()


def people(world: World, count: int = PEOPLE) -> list[ContactList]:
    """A crowd on two lists."""
    lists = [world.a_list("Storm One"), world.a_list("Storm Two")]
    for n in range(count):
        world.person(f"p{n}@rivermail.test", lists[n % 2], first_name=f"P{n}")
    return lists


def ring(world: World) -> None:
    """Look again at once, as the minutely sweep would."""
    Connection.objects.update(nudged_at=None)
    jobs.nudge(world.connection)


def test_L25_L28_killed_at_random_among_faults_nothing_is_lost_and_nothing_doubled(
    tenant: Tenant, sandbox: Any, storm: Storm
) -> None:
    seed = int(os.environ.get("ALMONER_SEED", "1"))
    print(f"seed {seed}, {PEOPLE} people, {KILLS} kills")
    chance = random.Random(seed)
    with in_tenant(tenant):
        world = World(tenant, sandbox)
        Connection.objects.update(state=Connection.State.READY)
        lists = people(world)
        assert verdict(world), "nothing has been sent yet, so the checker must complain"
        control.faults(sandbox, {"share": 0.3, "kinds": FAULTS, "seed": seed})
        run = runs.start(world.connection, None)
        ring(world)
        for kill in range(KILLS):
            time.sleep(chance.uniform(1.5, 3))
            storm.kill_somebody(chance)
            edit(chance, lists)
            run.refresh_from_db()
            if run.state == run.State.READY:
                runs.confirm(run, None)
            if kill == KILLS // 2:
                OrmQ.objects.all().delete()  # the doorbell's tables are emptied in mid-run
            ring(world)
        control.faults(sandbox, {})

        def is_quiet() -> bool:
            run.refresh_from_db()
            if run.state == run.State.READY:
                runs.confirm(run, None)
            ring(world)
            return run.state == run.State.DONE and not verdict(world)

        assert wait_until(is_quiet, PATIENCE), verdict(world)[:20] or run.state


def edit(chance: random.Random, lists: list[ContactList]) -> None:
    """People go on working meanwhile."""
    some = list(Contact.objects.order_by("pk"))
    for contact in chance.sample(some, 5):
        contact.first_name = f"Edited {chance.randrange(1000)}"
        contact.save()
    services.set_do_not_contact(Contact.objects.filter(pk=chance.choice(some).pk), True)
    services.add_to_list(chance.choice(lists), Contact.objects.filter(pk__in=[c.pk for c in chance.sample(some, 3)]))


def test_the_checker_notices_a_change_that_left_no_mark(tenant: Tenant, sandbox: Any, transactional_db: None) -> None:
    """The control of the storm: the same judge, when a change is not put on record."""
    with in_tenant(tenant):
        world = World(tenant, sandbox)
        people(world, 20)
        world.push()
        assert verdict(world) == []
        QuerySet(Contact).filter(first_name="P1").update(first_name="Nobody heard")
        world.push()
        assert verdict(world) == ["p1@rivermail.test differs"]


@pytest.mark.parametrize("is_protected", [True, False])
def test_L25_a_list_whose_making_was_not_answered_is_looked_for_before_it_is_made_again(
    tenant: Tenant, sandbox: Any, transactional_db: None, settings: Any, is_protected: bool
) -> None:
    """With its control: without the note that it may exist, there are two."""
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 60  # so that the turn ends with the trouble
    with in_tenant(tenant):
        world = World(tenant, sandbox, "audiences")
        control.faults(sandbox, {"kinds": ["done_unanswered"], "methods": ["POST"], "path": "/lists$", "limit": 1})
        one = world.a_list("Storm One")
        world.push(turns=1)
        if not is_protected:
            RemoteRecord.objects.filter(subject_uid=one.uid).update(effect=RemoteRecord.Effect.NONE)
        control.faults(sandbox, {})
        Connection.objects.update(retry_at=None)
        world.push()
        made = [audience for audience in world.account.audiences.values() if audience.name == "Storm One"]
        assert len(made) == (1 if is_protected else 2)
