"""`manage.py demo` as a person runs it: it starts, says where, stops without leftovers, goes on where it was."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

from config.demo.people import Circle, Inventor
from config.demo.seed import ORGANIZATIONS, RIVER, SPECIAL, WORKERS, enlarge, seed
from contacts.models import ConsentEvent, Contact, ContactList, EmailAddress, HistoryEntry, ListMembership, PhoneNumber
from contacts.tenancy.models import StaffMember, Tenant, User
from contacts.tenancy.walls import in_tenant

pytestmark = pytest.mark.once
RUNS_ALONE = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "MODE")}


def free_ports() -> int:
    """A port whose four successors are free as well."""
    for port in range(20_000 + os.getpid() % 5000, 40_000, 5):
        try:
            with contextlib.ExitStack() as held:
                for number in range(5):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port + number))
                return port
        except OSError:
            continue
    raise AssertionError("no free ports")


class Demo:
    """A running demo."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.folder, self.port = folder, port
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--no-input", "--port", str(port), "--var", str(folder), *options],
            cwd=settings.BASE_DIR, env=RUNS_ALONE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def description(self, seconds: float = 120) -> dict[str, Any]:
        """demo.json, which is there once all parts answer."""
        path, until = self.folder / "demo.json", time.monotonic() + seconds
        while not path.exists():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < until, "the demo did not start"
            time.sleep(0.2)
        return json.loads(path.read_text())

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: int = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)[0]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    demos: list[Demo] = []

    def run(*options: str, port: int = 0, folder: Path = tmp_path / "var") -> Demo:
        demos.append(Demo(folder, port or free_ports(), *options))
        return demos[-1]

    yield run
    for demo in demos:
        if demo.process.poll() is None:
            demo.end()


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def gone(family: list[psutil.Process]) -> bool:
    return not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_the_demo_starts_stops_and_goes_on_where_it_was(start: Any) -> None:
    demo = start()
    said = demo.description()
    assert said["url"] == f"http://127.0.0.1:{demo.port}"
    assert {role for role, *_ in said["logins"]} == {"owner", "manager", "staff", "viewer", "operator"}
    assert all(len(password) >= 12 for *_, password in said["logins"])
    assert "Log in" in fetch(said["url"] + "/admin/login/")
    assert json.loads(fetch(said["url"] + "/healthz"))["worker_heartbeat_seconds"] < 120
    assert "The demo mails nobody" in fetch(said["mail"])
    for vendor in ("mailchimp", "constant_contact", "donor_perfect", "video_app"):
        assert json.loads(fetch(said["sandbox"][vendor] + "/_sandbox/health"))["vendor"] == vendor
    asked = urllib.request.Request(f"{said['url']}/api/video/v1/tasks?limit=1")
    asked.add_header("Authorization", f"Bearer {said['tokens']['video'][RIVER]}")
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert json.loads(answer.read())["results"]
    kept = (demo.folder / "demo.env").read_text()

    family = demo.family()
    printed = demo.end(signal.SIGINT)
    assert demo.process.returncode == 0
    assert said["url"] in printed
    assert said["mail"] in printed
    assert "ana@rivertrust.test" in printed
    assert gone(family)
    assert not (demo.folder / "demo.json").exists()

    again = start(port=demo.port)
    again.description()
    assert (demo.folder / "demo.env").read_text() == kept
    assert (demo.folder / "log" / "people.log").read_text().splitlines()[-1] == "The organizations are there."

    # When a part dies, the demo says which one and takes the others along.
    family = again.family()
    next(p for p in family if "tests.fakes" in p.cmdline()).kill()
    assert "The part “sandbox” was killed by signal 9." in again.process.communicate(timeout=60)[0]
    assert again.process.returncode == 1
    assert gone(family)


def test_a_busy_port_is_named_before_anything_is_made(start: Any, tmp_path: Path) -> None:
    port = free_ports()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + 1))
        other.listen()
        demo = start(port=port)
        printed = demo.process.communicate(timeout=60)[0]
    assert demo.process.returncode == 1
    assert f"Port {port + 1} is taken" in printed
    assert f"PORT={port + 1000}" in printed
    assert not (tmp_path / "var" / "almoner.sqlite3").exists()


@pytest.fixture
def seeded(db: None) -> None:
    seed()


def test_the_demos_people_are_believable(seeded: None) -> None:
    assert [(t.name, str(t.tz)) for t in Tenant.objects.all()] == [
        ("Harbor Food Bank", "America/New_York"), ("River Trust", "America/Los_Angeles"),
    ]  # fmt: skip
    for organization in ORGANIZATIONS:
        with in_tenant(Tenant.objects.get(name=organization.name)):
            assert Contact.objects.count() == organization.contacts
            assert Contact.objects.filter(email_addresses=None).exists()
            assert EmailAddress.objects.filter(state="bounced").exists()
            assert EmailAddress.objects.filter(address__endswith="@example.com").count() == 1
            assert any(not name.isascii() for name in Contact.objects.values_list("last_name", flat=True))
            shared = EmailAddress.objects.filter(address_key="the.fosters@oakpost.test")
            assert shared.count() == 2
            assert ContactList.objects.filter(kind="committee", memberships__position="chair").exists()
            assert Contact.objects.filter(do_not_contact=True).exists()
            assert ListMembership.objects.filter(do_not_contact=True).exists()
            for phone in PhoneNumber.objects.all()[:50]:
                assert phone.number.is_valid(), phone.number


def test_the_demos_past_lies_in_the_past_and_agrees_with_today(seeded: None) -> None:
    river = Tenant.objects.get(name=RIVER)
    with in_tenant(river):
        oldest, newest = HistoryEntry.objects.order_by("at").first(), HistoryEntry.objects.order_by("at").last()
        assert (newest.at - oldest.at).days > 4 * 365
        for contact in Contact.objects.filter(do_not_contact=True):
            events = ConsentEvent.objects.filter(contact_uid=contact.uid, list_uid=None, kind="dnc_set")
            assert [e.at >= contact.created_at for e in events] == [True]
            told = HistoryEntry.objects.filter(contact_uid=contact.uid, changes__do_not_contact=[False, True])
            assert told.exists()
        opted_out = ListMembership.objects.filter(do_not_contact=True).count()
        assert ConsentEvent.objects.exclude(list_uid=None).count() == opted_out
        added = HistoryEntry.objects.filter(what="contact", verb="added").count()
        assert added == Contact.objects.count()


def test_the_demos_logins_are_what_the_demo_says(seeded: None) -> None:
    for worker in WORKERS:
        user = User.objects.get(email=worker.email)
        assert user.is_superuser == (not worker.places)
        assert {(m.tenant.name, m.role) for m in StaffMember.of_user(user)} == set(worker.places)


def test_a_second_seeding_changes_nothing_and_an_interrupted_enlarging_is_completed(seeded: None) -> None:
    assert seed() is False
    with in_tenant(Tenant.objects.get(name="Harbor Food Bank")):
        neighbours = Contact.objects.count()
    assert enlarge(ORGANIZATIONS[0], 450) == 50
    assert enlarge(ORGANIZATIONS[0], 450) == 0
    with in_tenant(Tenant.objects.get(name=RIVER)):
        assert Contact.objects.count() == 450
        assert EmailAddress.objects.count() == EmailAddress.objects.values("address_key").distinct().count() + 3
    with in_tenant(Tenant.objects.get(name="Harbor Food Bank")):
        assert Contact.objects.count() == neighbours


def test_the_same_seed_invents_the_same_people(settings: Any) -> None:
    from django.utils import timezone

    now = timezone.now()
    circle = Circle({"News": 0.5}, {}, ("tag",), ("503",), "Old database")
    first, second = (list(Inventor(circle, 7, now).people(0, 40)) for _ in range(2))
    assert first == second
    assert first != list(Inventor(circle, 8, now).people(0, 40))
    assert len(SPECIAL) < 10
