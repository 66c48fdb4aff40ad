"""Who holds a lease: the machine, the supervisor above the process, and the process itself."""

import os
import socket
import uuid

VARIABLE = "ALMONER_SUPERVISOR"


def host() -> str:
    """This machine's name; leases of another machine are none of our business."""
    return socket.gethostname()[:60]


def new_supervisor_id() -> str:
    """A name for one run of one cluster; its children inherit it through the environment."""
    return uuid.uuid4().hex[:12]


def holder() -> str:
    """What a process writes beside the lease it takes: "host:supervisor:pid"."""
    return f"{host()}:{os.environ.get(VARIABLE, '')}:{os.getpid()}"


def held_under(supervisor_id: str) -> str:
    """How every lease of that supervisor's children begins."""
    return f"{host()}:{supervisor_id}:"
