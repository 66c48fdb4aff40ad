"""Two workers at once, and workers that are killed at any step: each milestone is noted and announced once."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from contacts.models import Contact, HistoryEntry
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import assessing
from gifts.models import Gift, MilestoneReached, Reassessment
from gifts.services import record_gifts
from tests.gifts.rules import listening, make_rule

DONORS = 60

pytestmark = pytest.mark.django_db(transaction=True)


def prepare(tenant: Tenant) -> None:
    with in_tenant(tenant):
        make_rule("number", 1, 2)
        people = Contact.objects.bulk_create([Contact(first_name=f"P{n}") for n in range(DONORS)])
        record_gifts(Gift(contact=one, amount=10, received_on=date(2026, 1, 1 + n)) for one in people for n in range(2))


def right() -> None:
    """Everybody has both; each announced milestone stands in one history entry."""
    assert MilestoneReached.objects.count() == 2 * DONORS
    assert HistoryEntry.objects.filter(what="milestone").count() == 2 * DONORS
    assert not Reassessment.objects.exists()


def test_M5_two_workers_at_once_announce_each_milestone_once(tenant: Tenant, monkeypatch: Any) -> None:
    monkeypatch.setattr(assessing, "BATCH", 7)
    prepare(tenant)
    failed: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(40):
                assessing.turn(tenant.pk)
        except Exception as failure:  # noqa: BLE001  of another thread: told at the end
            failed.append(failure)
        finally:
            connections.close_all()

    with listening() as heard:
        workers = [threading.Thread(target=work) for _ in range(2)]
        for one in workers:
            one.start()
        for one in workers:
            one.join(60)
    assert failed == []
    with in_tenant(tenant):
        right()
    keys = [(row.contact_id, row.threshold) for row in heard.reached]
    assert len(keys) == len(set(keys)) == 2 * DONORS


WORKER = """
import os, sys, django
django.setup()
from gifts import assessing
assessing.BATCH = 3
assessing.turn(int(sys.argv[1]))
"""


@pytest.mark.once
def test_M5_a_worker_that_is_killed_at_any_step_leaves_nothing_half_done(
    tenant: Tenant, database_url: str, base_dir: Path
) -> None:
    prepare(tenant)
    environment = os.environ | {
        "MODE": "test", "DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "config.settings",
    }  # fmt: skip
    killed = 0
    for _ in range(4):
        with in_tenant(tenant):
            before = MilestoneReached.objects.count()
        worker = subprocess.Popen([sys.executable, "-c", WORKER, str(tenant.pk)], cwd=base_dir, env=environment)
        until = time.monotonic() + 30
        with in_tenant(tenant):
            while MilestoneReached.objects.count() == before and worker.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
        worker.send_signal(signal.SIGKILL)
        killed += worker.wait() == -signal.SIGKILL
        with in_tenant(tenant):
            noted = set(MilestoneReached.objects.values_list("contact_id", flat=True))
            waiting = set(Reassessment.objects.values_list("contact_id", flat=True))
            assert not noted & waiting, "who is noted is not waited for, and the other way round"
            assert len(noted | waiting) == DONORS
            assert HistoryEntry.objects.filter(what="milestone").count() == MilestoneReached.objects.count()
    assert killed, "the control: at least one was killed in the middle of its work"
    while assessing.turn(tenant.pk):
        pass
    with in_tenant(tenant):
        right()
