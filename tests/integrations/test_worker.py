"""The supervising command against real processes: whoever is killed is replaced, and what they held is free again."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from integrations.models import Connection
from integrations.supervisor import identity
from integrations.supervisor.queue import CHANCES, TableQueue
from integrations.supervisor.schedules import BELLS, ensure_schedules
from integrations.supervisor.supervise import release_leases
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db(transaction=True)


def wait_for(what: Callable[[], Any], seconds: float) -> Any:
    """What it returns as soon as that is true; its last answer when time is up."""
    until = time.monotonic() + seconds
    while not (answer := what()) and time.monotonic() < until:
        time.sleep(0.1)
    return answer


def lives(process: psutil.Process) -> bool:
    """Whether it still runs; a dead one that nobody has collected does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Running:
    """A command that runs jobs, with the jobs' notebook."""

    def __init__(self, folder: Path, url: str, *command: str, **environment: str) -> None:
        self.notes = folder / "notes"
        self.notes.touch()
        self.log = folder / "log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", *command],
                cwd=settings.BASE_DIR,
                env=os.environ | {"DATABASE_URL": url, "Q_WORKERS": "1"} | environment,
                stderr=log,
                start_new_session=True,
            )
        self.family: dict[int, psutil.Process] = {}

    def ring(self, word: str, seconds: float = 0) -> None:
        async_task("tests.integrations.errands.note", str(self.notes), word, seconds)

    def answer(self, word: str, within: float = 30) -> int:
        """The id of the process that ran the job, or 0."""
        lines = wait_for(lambda: [n for n in self.notes.read_text().splitlines() if n.startswith(f"{word} ")], within)
        self.remember()
        return int(lines[0].split()[1]) if lines else 0

    def remember(self) -> list[psutil.Process]:
        """Everything that runs under the command now; whoever was seen once is ended with the test."""
        now = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        self.family |= {child.pid: child for child in now}
        return now

    def left_over(self) -> list[psutil.Process]:
        return [p for p in self.family.values() if lives(p)]

    def end(self) -> None:
        self.remember()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for child in self.left_over():
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Running]]:
    """`run("worker")` starts a command on the test database; it is ended with the test."""
    started: list[Running] = []

    def start(*command: str, **environment: str) -> Running:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Running(folder, database_url, *command, **environment))
        return started[-1]

    yield start
    for running in started:
        running.end()


def kill(process: psutil.Process | int) -> None:
    os.kill(process if isinstance(process, int) else process.pid, signal.SIGKILL)


def test_a_killed_idle_worker_delays_the_next_job_by_less_than_30_seconds(run: Any) -> None:
    worker = run("worker")
    worker.ring("before")
    pid = worker.answer("before")
    assert pid, worker.log.read_text()
    time.sleep(1)  # it waits for the next job now, the queue's lock in hand
    kill(pid)
    worker.ring("after")
    assert worker.answer("after", within=30)
    assert pid not in [p.pid for p in worker.remember()]


@pytest.mark.once
def test_control_the_stock_cluster_stalls_after_the_same_kill(run: Any) -> None:
    for attempt in range(3):
        stock = run("qcluster")
        stock.ring("before")
        pid = stock.answer("before")
        assert pid, stock.log.read_text()
        time.sleep(1)
        kill(pid)
        stock.ring(f"after{attempt}")
        ran = stock.answer(f"after{attempt}", within=10)
        stock.end()
        OrmQ.objects.all().delete()
        if not ran:
            return
    pytest.fail("The stock cluster survived three kills: the remedy may no longer be needed.")


@pytest.mark.parametrize("depth", [0, 1], ids=["top", "sentinel"])
def test_a_killed_cluster_is_replaced_and_leaves_no_orphan(run: Any, depth: int) -> None:
    worker = run("worker")
    worker.ring("before")
    assert worker.answer("before"), worker.log.read_text()
    family = worker.remember()
    top = next(p for p in family if p.ppid() == worker.process.pid)
    victim = top if depth == 0 else next(p for p in family if p.ppid() == top.pid)
    kill(victim)
    assert wait_for(lambda: not any(map(lives, family)), 10)
    worker.ring("after")
    assert worker.answer("after", within=30)


@pytest.mark.once
def test_a_worker_that_stands_still_is_replaced(run: Any) -> None:
    worker = run("worker", "--stall", "3")
    worker.ring("before")
    pid = worker.answer("before")
    assert pid, worker.log.read_text()
    time.sleep(1)
    os.kill(pid, signal.SIGSTOP)
    for word in ("one", "two", "three"):
        worker.ring(word)
    assert worker.answer("three", within=30), worker.log.read_text()
    assert pid not in [p.pid for p in worker.left_over()]


@pytest.mark.once
def test_told_to_stop_the_worker_finishes_its_job_and_leaves_nothing_behind(run: Any) -> None:
    worker = run("worker")
    worker.ring("before")
    assert worker.answer("before"), worker.log.read_text()
    worker.ring("long", seconds=2)
    assert worker.answer("long-begins")
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(45) == 0
    assert worker.answer("long", within=0)
    assert not worker.left_over()


@pytest.mark.once
def test_the_cluster_ends_when_its_supervisor_is_killed(run: Any) -> None:
    worker = run("worker")
    worker.ring("before")
    assert worker.answer("before"), worker.log.read_text()
    kill(worker.process.pid)
    worker.process.wait()
    assert wait_for(lambda: not worker.left_over(), 30)


@pytest.mark.once
def test_a_cluster_whose_supervisor_was_killed_while_it_started_ends_as_well(run: Any) -> None:
    """By whose child it is it cannot tell: it never was another's. Two clusters would work side by side for ever."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    cluster = run("worker", "--cluster", **{identity.PROCESS: str(gone.pid)})
    assert wait_for(lambda: cluster.process.poll() is not None, 30), cluster.log.read_text()
    assert wait_for(lambda: not cluster.left_over(), 10)


def test_the_lease_of_a_killed_worker_is_free_at_once(run: Any, tenant: Tenant, neighbour: Tenant) -> None:
    mine, theirs = ConnectionFactory(tenant=tenant), ConnectionFactory(tenant=neighbour)
    until = timezone.now() + timedelta(hours=1)
    with in_tenant(neighbour):
        Connection.objects.update(lease_holder="another-machine:abc:1", lease_token="theirs", lease_until=until)
    worker = run("worker")
    worker.ring("before")
    assert worker.answer("before"), worker.log.read_text()
    async_task("tests.integrations.errands.hold_and_die", tenant.pk, mine.pk)

    def held() -> str:
        with in_tenant(tenant):
            return Connection.objects.get(pk=mine.pk).lease_holder

    assert wait_for(lambda: "A process of the cluster was killed" in worker.log.read_text(), 20)
    assert wait_for(lambda: not held(), 10)
    with in_tenant(neighbour):
        assert Connection.objects.get(pk=theirs.pk).lease_until == until


def test_only_leases_under_the_dead_supervisor_are_released(tenant: Tenant, neighbour: Tenant) -> None:
    until = timezone.now() + timedelta(hours=1)
    for owner, name in ((tenant, "dead"), (neighbour, "deadly")):
        ConnectionFactory(tenant=owner, lease_holder=f"{identity.held_under(name)}7", lease_until=until)
    assert release_leases("dead") == 1
    with in_tenant(tenant):
        assert Connection.objects.get().lease_until is None
    with in_tenant(neighbour):
        assert Connection.objects.get().lease_until == until


def test_a_job_that_dies_with_its_cluster_again_and_again_is_dropped() -> None:
    later = timezone.now() + timedelta(minutes=5)
    job = OrmQ.objects.create(key="mine", payload="x", lock=later)
    other = OrmQ.objects.create(key="other", payload="x", lock=later)
    queue = TableQueue("mine")
    for _ in range(CHANCES - 1):
        queue.free_claims()
        assert OrmQ.objects.get(pk=job.pk).lock < timezone.now()
        OrmQ.objects.filter(pk=job.pk).update(lock=later)
    queue.free_claims()
    assert list(OrmQ.objects.values_list("pk", "lock")) == [(other.pk, later)]


def test_a_queue_stands_still_only_while_jobs_wait_and_none_is_taken() -> None:
    queue = TableQueue("mine")
    assert queue.standstill() is None
    past = timezone.now() - timedelta(minutes=1)
    jobs = [OrmQ.objects.create(key="mine", payload="x", lock=past) for _ in range(3)]
    before = queue.standstill()
    assert before is not None
    assert queue.standstill() == before
    OrmQ.objects.filter(pk=jobs[0].pk).update(lock=timezone.now() + timedelta(minutes=5))
    assert queue.standstill() != before


def test_schedules_are_there_once_and_keep_their_time() -> None:
    ensure_schedules()
    nightly = Schedule.objects.get(name="almoner: prune")
    Schedule.objects.create(name="almoner: sweep", func="doubled", schedule_type=Schedule.MINUTES)
    Schedule.objects.create(name="almoner: of an older release", func="gone", schedule_type=Schedule.DAILY)
    Schedule.objects.filter(name="almoner: listen").update(func="changed.by.hand")
    ensure_schedules()
    assert sorted(Schedule.objects.values_list("name", "func")) == sorted((n, b["func"]) for n, b in BELLS.items())
    assert Schedule.objects.get(name="almoner: prune").next_run == nightly.next_run
