"""Who holds a lease: the machine, the supervisor above the process, and the process itself."""

import os
import socket
import uuid

VARIABLE = "ALMONER_SUPERVISOR"
PROCESS = "ALMONER_SUPERVISOR_PROCESS"  # its process id: who started a cluster may be dead before it can look


def host() -> str:
    """This machine's name; leases of another machine are none of our business."""
    return socket.gethostname()[:60]


def new_supervisor_id() -> str:
    """A name for one run of one cluster; its children inherit it through the environment."""
    return uuid.uuid4().hex[:12]


def supervisor_process() -> int:
    """The process id of the supervisor above this cluster; whoever started it, if it was started by hand."""
    return int(os.environ.get(PROCESS) or os.getppid())


def holder() -> str:
    """What a process writes beside the lease it takes: "host:supervisor:pid"."""
    return f"{host()}:{os.environ.get(VARIABLE, '')}:{os.getpid()}"


def held_under(supervisor_id: str) -> str:
    """How every lease of that supervisor's children begins."""
    return f"{host()}:{supervisor_id}:"
