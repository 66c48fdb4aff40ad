"""Jobs for the tests of the worker: they say that they ran, and where, or they die on purpose."""

import os
import signal
import time
from pathlib import Path

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant


def note(path: str, word: str, seconds: float = 0) -> None:
    """Write the word and this process's id, before and after the work, which is sleeping."""
    write(path, f"{word}-begins")
    time.sleep(seconds)
    write(path, word)


def write(path: str, word: str) -> None:
    """One line of the notebook."""
    with Path(path).open("a") as file:
        file.write(f"{word} {os.getpid()}\n")


def hold_and_die(tenant_id: int, connection_id: int) -> None:
    """Take a connection's lease as a push does, and be killed with it in hand."""
    from integrations.models import Connection
    from integrations.sync.lease import Lease

    with in_tenant(Tenant.objects.get(pk=tenant_id)):
        assert Lease.take(Connection.objects.get(pk=connection_id))
    os.kill(os.getpid(), signal.SIGKILL)
