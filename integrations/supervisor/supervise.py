"""Keep one cluster running: watch it, end it whole when a part of it is dead or stuck, tidy up after it, start anew."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from django_q.conf import Conf

from integrations.models import Connection
from integrations.models.heartbeat import age
from integrations.supervisor import identity
from integrations.supervisor.cluster import STOP_WITHIN
from integrations.supervisor.queue import JobQueue, errors, job_queue, ring_sweep
from integrations.supervisor.schedules import ensure_schedules

logger = logging.getLogger(__name__)

LOOK_EVERY = 5.0  # seconds between two looks at the queue; whether the cluster lives is seen at once
SILENCE = 180.0  # the sweep leaves a heartbeat every minute
LONGEST_PAUSE = 30.0  # between two starts of a cluster that dies at once


class Supervisor:
    """One of them runs on each machine that does background work."""

    def __init__(self, *, stall: float | None = None, silence: float = SILENCE) -> None:
        # Jobs may run up to the cluster's time-out; a queue that stands still for longer is stuck.
        self.stall = stall or Conf.TIMEOUT + 20
        self.silence = silence
        self.stopping = threading.Event()
        self.queue: JobQueue = job_queue()
        self.id = ""

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        short_lives = 0
        while not self.stopping.is_set():
            started = time.monotonic()
            cluster = self.start()
            if why := self.watch(cluster):
                logger.error("Restarting the cluster", extra={"why": why})
            else:
                self.stop(cluster)
            self.bury(cluster)
            short_lives = short_lives + 1 if time.monotonic() - started < 5 else 0
            if short_lives:
                self.stopping.wait(min(LONGEST_PAUSE, 0.5 * 2**short_lives))

    def start(self) -> subprocess.Popen[bytes]:
        """A new cluster in a process group of its own, under a new name, with the first bell rung."""
        self.id = identity.new_supervisor_id()
        with self.database_may_be_away():
            ensure_schedules()
            ring_sweep()
        logger.info("Starting the cluster", extra={"supervisor": self.id})
        return subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", "--cluster"],
            env=os.environ | {identity.VARIABLE: self.id, identity.PROCESS: str(os.getpid())},
            start_new_session=True,
        )

    def watch(self, cluster: subprocess.Popen[bytes]) -> str:
        """Why the cluster has to be replaced, or "" when we are told to stop."""
        heard = moved = looked = time.monotonic()
        seen: object = None
        while not self.stopping.wait(0.25):
            now = time.monotonic()
            if cluster.poll() is not None:
                return f"it ended with code {cluster.returncode}"
            if now - looked < LOOK_EVERY:
                continue
            looked = now
            with self.database_may_be_away():
                standstill = self.queue.standstill()
                if standstill is None or standstill != seen:
                    seen, moved = standstill, now
                silent = age()
                if silent is not None and silent < self.silence:
                    heard = now
            if now - moved > self.stall:
                return "jobs wait and none is taken"
            if now - heard > self.silence:
                return "the sweep has not run for minutes"
        return ""

    def stop(self, cluster: subprocess.Popen[bytes]) -> None:
        """Let running jobs finish, for a while."""
        logger.info("Stopping the cluster")
        cluster.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            cluster.wait(STOP_WITHIN)

    def bury(self, cluster: subprocess.Popen[bytes]) -> None:
        """Kill whatever is left of the cluster, then free what its processes had claimed."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(cluster.pid, signal.SIGKILL)
        cluster.wait()
        with self.database_may_be_away():
            release_leases(self.id)
            self.queue.free_claims()

    @contextlib.contextmanager
    def database_may_be_away(self) -> Any:
        """The supervisor outlives a database or broker that is being restarted, and looks again later."""
        try:
            close_old_connections()
            yield
        except errors() as error:
            logger.error("The database or the broker does not answer", extra={"error": type(error).__name__})


def release_leases(supervisor_id: str) -> int:
    """Give back the leases of the processes that ran under this supervisor, now that they are dead."""
    held = Connection.objects.with_scopes_disabled().filter(lease_holder__startswith=identity.held_under(supervisor_id))
    return held.update(lease_until=None, lease_token="", lease_holder="")
