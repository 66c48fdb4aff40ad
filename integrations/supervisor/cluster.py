"""The cluster that the supervisor watches: django-q2's own, made to fall rather than to limp.

A worker that is killed while it waits takes the queue's lock along, and the stock sentinel replaces the worker but not
the lock: every process lives, and no job ever runs again (django-q2 issue 23). So a death by a signal ends the whole
cluster here, and the supervisor starts a new one.
"""

import gc
import logging
import os
import signal
import time
from functools import partial
from typing import Any

from django_q import cluster as stock

from integrations.supervisor import identity

STOP_WITHIN = 45

logger = logging.getLogger(__name__)


class CrashOnlySentinel(stock.Sentinel):
    """Replaces a child that ended by itself; ends everything when one was killed."""

    def reincarnate(self, process: Any) -> None:
        if process.exitcode is not None and process.exitcode < 0:
            logger.error("A process of the cluster was killed", extra={"signal": -process.exitcode})
            os._exit(1)
        if process in self.pool and process.timer.value == 0:
            # Its job ran out of time. Cutting it off while it hands over the result would block the others (issue 339).
            process.join(5)
        super().reincarnate(process)


def run() -> None:
    """Run a cluster until it is told to stop, or until the supervisor above it is gone."""
    stock.Sentinel = CrashOnlySentinel
    parent = identity.supervisor_process()
    cluster = stock.Cluster()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, partial(stop, cluster))
    look_for_garbage_less_often()  # before the children are made: they inherit it
    cluster.start()
    while cluster.sentinel.is_alive():
        if os.getppid() != parent:
            logger.error("The supervisor is gone; stopping")
            stop(cluster)
            end_group()
        time.sleep(0.2)


def stop(cluster: stock.Cluster, *_: Any) -> None:
    """Let running jobs finish. Where the processes cannot, because one was killed with a lock in its hand, all end."""
    signal.signal(signal.SIGALRM, end_group)
    signal.alarm(STOP_WITHIN)
    cluster.stop()


def look_for_garbage_less_often() -> None:
    """A quarter of a large Sync would go into searching its many short-lived rows for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def end_group(*_: Any) -> None:
    """Kill this process and everything it started: the supervisor gave them a group of their own."""
    os.killpg(os.getpgid(0), signal.SIGKILL)
