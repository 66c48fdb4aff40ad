"""One step of a scenario, in a process of its own so that its memory and its time are its own.

`python -m bench.step NAME JSON` prints what it found as JSON. Used by bench/parts.py only.
"""

import cProfile
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from bench import api_calls, exporting, importing, meddling, milestones, noting, pages, polling, world  # noqa: E402
from bench.parts import control  # noqa: E402
from contacts.models import Contact  # noqa: E402
from contacts.tenancy.walls import in_tenant  # noqa: E402
from integrations.models import SyncRun  # noqa: E402
from integrations.models.heartbeat import age  # noqa: E402
from integrations.provider_kit import http  # noqa: E402
from integrations.supervisor.cluster import look_for_garbage_less_often  # noqa: E402
from integrations.sync import runs  # noqa: E402
from integrations.sync.serve import serve  # noqa: E402


def prepare() -> None:
    """The tables, one organization, its connection and somebody who logs in."""
    call_command("migrate", verbosity=0)
    world.found()


def seed(contacts: int) -> dict[str, float]:
    """So many contacts on one synchronized list."""
    started = time.perf_counter()
    world.people(contacts)
    return {"seconds": time.perf_counter() - started}


def change(contacts: int) -> None:
    """Half of so many renamed, the other half moved to a second list."""
    world.change(contacts)


def sync(keep_bodies: str = "") -> dict[str, Any]:
    """Press Sync, look at the preview, confirm, and wait for the end: what the worker's process does."""
    if keep_bodies:
        keep(Path(keep_bodies))
    tenant, connection = world.ours()
    at_start = memory("VmRSS")
    found: dict[str, Any] = {}
    with in_tenant(tenant):
        run = runs.start(connection, None)
    look_for_garbage_less_often()
    found["preview"] = measured(lambda: work(connection.pk))
    with in_tenant(tenant):
        run = SyncRun.objects.get(pk=run.pk)
        found["shown"], found["state"] = run.counts, run.state
        found["confirm"] = measured(lambda: runs.confirm(run, world.owner()))
    found["push"] = measured(lambda: work(connection.pk))
    with in_tenant(tenant):
        found["ended"] = SyncRun.objects.get(pk=run.pk).state
        found["due"] = world.due()
    return found | {"memory_mb": memory("VmHWM"), "memory_at_start_mb": at_start}


def check() -> dict[str, Any]:
    """Press Check, as the night does, and wait for what it finds."""
    tenant, connection = world.ours()
    at_start = memory("VmRSS")
    with in_tenant(tenant):
        run = runs.start(connection, None, kind=SyncRun.Kind.CHECK)
    found = measured(lambda: work(connection.pk))
    with in_tenant(tenant):
        run = SyncRun.objects.get(pk=run.pk)
        figures = run.found["lists"].values()
        members, in_step = sum(f[0] for f in figures), sum(f[1] for f in figures)
        found["in_step"] = in_step / members * 100
        found["shown"] = meddling.found(run)
    return found | {"memory_mb": memory("VmHWM"), "memory_at_start_mb": at_start}


def repair() -> dict[str, Any]:
    """Repair everything that the check has found."""
    tenant, connection = world.ours()
    with in_tenant(tenant):
        runs.confirm(SyncRun.objects.get(state=SyncRun.State.READY), world.owner())
    return measured(lambda: work(connection.pk))


def push() -> dict[str, Any]:
    """Send what is due."""
    tenant, connection = world.ours()
    found = measured(lambda: work(connection.pk))
    with in_tenant(tenant):
        return found | {"due": world.due()}


def contacts() -> list[int]:
    """The numbers of all contacts."""
    tenant, _ = world.ours()
    with in_tenant(tenant):
        return list(Contact.objects.values_list("pk", flat=True))


def has_swept() -> bool:
    """Whether a worker has begun."""
    return age() is not None


def work(connection_pk: int) -> None:
    """Turn after turn, as the queue would give them."""
    while serve(connection_pk):
        pass


def measured(what: Callable[[], Any]) -> dict[str, Any]:
    """How long it took, how much of that this process computed, and what was called meanwhile."""
    sandbox = os.environ["BENCH_SANDBOX"]
    before = len(control(sandbox, "calls"))
    started, computed = time.perf_counter(), time.process_time()
    what()
    seconds, cpu = time.perf_counter() - started, time.process_time() - computed
    calls = control(sandbox, f"calls?since={before}")
    writes = [f"{call['method']} {call['path']}" for call in calls if call["method"] != "GET"]
    vendor = sum(call["ms"] for call in calls) / 1000
    return {"seconds": seconds, "cpu": cpu, "calls": len(calls), "writes": writes, "vendor_seconds": vendor}


def keep(path: Path) -> None:
    """Keep what is sent with POST, one body a line: the bare script sends the same."""
    dump = http._dump
    file = path.open("wb")

    def dump_and_keep(content: Any) -> bytes:
        body = dump(content)
        file.write(body + b"\n")
        file.flush()
        return body

    http._dump = dump_and_keep


def memory(which: str) -> float:
    """This process's memory in megabytes: `VmRSS` now, `VmHWM` at its peak."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith(f"{which}:"))
        return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)


def export(form: str) -> dict[str, Any]:
    """An export of everybody."""
    return exporting.export_all(form, memory)


def import_people(path: str) -> dict[str, Any]:
    """An import of the file, from the upload to the report."""
    return importing.import_people(path, memory)


def with_memory(step: Callable[..., Any]) -> Callable[..., Any]:
    """The step, which says what memory it took."""
    return partial(step, memory=memory)


STEPS: dict[str, Callable[..., Any]] = {
    "prepare": prepare, "seed": seed, "change": change, "sync": sync, "push": push, "contacts": contacts,
    "neighbours": world.neighbours, "flood": world.flood, "waiting": world.waiting,
    "has_swept": has_swept, "check": check, "meddle": meddling.meddle, "repair": repair,
    "pages_prepare": pages.prepare, "pages": pages.measure,
    "add_details": exporting.add_details, "bare_csv": exporting.bare_csv, "export": export,
    "write_people": importing.write_people, "import_people": import_people, "insert_people": importing.insert_people,
    "seed_donors": milestones.seed_donors, "insert_gifts": milestones.insert_gifts, "try_rule": milestones.try_rule,
    "switch_on_rules": milestones.switch_on_rules, "record_gifts": with_memory(milestones.record_gifts),
    "follow_gift": milestones.follow_gift,
    "recount_gifts": with_memory(milestones.recount_gifts),
    "verify_milestones": with_memory(milestones.verify_milestones),
    "seed_apis": api_calls.seed, "note_sql": noting.note_sql,
    "turn_on_gifts": polling.turn_on_gifts, "look_for_gifts": with_memory(polling.look_for_gifts),
}  # fmt: skip


def main() -> None:
    """Run the step; with BENCH_PROFILE, under the profiler."""
    step, wishes = STEPS[sys.argv[1]], json.loads(sys.argv[2])
    if file := os.environ.get("BENCH_PROFILE"):
        profile = cProfile.Profile()
        found = profile.runcall(step, **wishes)
        profile.dump_stats(file)
    else:
        found = step(**wishes)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
