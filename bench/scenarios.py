"""What is measured: each scenario in fresh parts, its figures with the aims they are held against."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.edits import edit_by_edit
from bench.parts import ROOT, Parts, slow_answers
from tests import postgres

NO_MORE = 1.1  # times the smallest case: one in ten is what two runs of the same differ by
REPEATS = 3  # of a case that is over so soon that one run says little


@dataclass
class Wishes:
    """What the command line asked for."""

    contacts: int = 10_000
    edits: int = 100
    members: int = 20_000
    growth: list[int] = field(default_factory=lambda: [1_000, 10_000, 100_000])
    profile: Path | None = None
    gifts: int = 100_000
    polled: int = 100_000
    gift_growth: list[int] = field(default_factory=lambda: [10_000, 100_000, 1_000_000])
    donors: list[int] = field(default_factory=lambda: [1_000, 100_000])


@dataclass
class Figure:
    """One line of the table. `met` is None where there is no aim."""

    scenario: str
    name: str
    value: float | int
    unit: str = ""
    aim: str = ""
    met: bool | None = None

    @classmethod
    def at_most(cls, scenario: str, name: str, value: float, limit: float, unit: str = "") -> "Figure":
        """A figure with an upper limit."""
        return cls(scenario, name, value, unit, f"≤ {limit:g}{' ' + unit if unit else ''}", value <= limit)


Figures = list[Figure]
WORK = ("preview", "confirm", "push")


def spent(found: dict[str, Any], what: str = "seconds") -> float:
    """Preview, confirm and push together."""
    return sum(found[part][what] for part in WORK)


def worked(found: dict[str, Any]) -> float:
    """The seconds for which the worker computed or the vendor was asked: what it would take on an idle machine."""
    return spent(found, "cpu") + spent(found, "vendor_seconds")


def writes(found: dict[str, Any]) -> list[str]:
    """Every call of a Sync that changed something at the vendor."""
    return [call for part in WORK for call in found[part]["writes"]]


def settled(found: dict[str, Any]) -> dict[str, Any]:
    """The same, if everything was sent: figures of work that was not done are worth nothing."""
    if found["due"] or found.get("ended", "done") != "done":
        raise RuntimeError(f"The Sync did not come to its end: {found}")
    return found


def first_sync(wishes: Wishes) -> Figures:
    """The first Sync of everybody, beside a bare script with the same bodies; then again, with slow answers."""
    figures: Figures = []
    for latency in (0, 100):
        name = f"First Sync of {wishes.contacts:,}" + (f", answers take {latency} ms" if latency else "")
        with Parts(None if latency else wishes.profile) as parts:
            parts.step("seed", contacts=wishes.contacts)
            bodies = parts.folder / "bodies"
            with slow_answers(parts, latency) if latency else nullcontext():
                found = settled(parts.step("sync", keep_bodies=str(bodies)))
                bare = sent_barely(parts, bodies)
        total = spent(found)
        figures += [
            Figure.at_most(name, "calls", spent(found, "calls"), 25),
            Figure.at_most(name, "preview, confirm and push", total, 15 if latency else 10, "s"),
            *(Figure(name, f"of that {part}", found[part]["seconds"], "s") for part in WORK),
            Figure(name, "of all computed by the worker", spent(found, "cpu"), "s"),
            Figure(name, "of all at the vendor", spent(found, "vendor_seconds"), "s"),
            Figure(name, "of all waited for processor and disk", total - worked(found), "s"),
            Figure(name, "bare script, the same bodies", bare, "s"),
            Figure(name, "ratio to the bare script", total / bare, "×"),
            Figure(name, "of that push alone", found["push"]["seconds"] / bare, "×"),
            Figure.at_most(name, "peak memory of the worker", found["memory_mb"], 250, "MB"),
        ]
    return figures


def sent_barely(parts: Parts, bodies: Path) -> float:
    """The seconds of the bare script, into the same vendor as it was at first."""
    latency = parts.control("faults")["latency_ms"]
    parts.control("reset", {})
    parts.control("faults", {"latency_ms": latency})
    script = [sys.executable, "-m", "bench.bare", parts.sandbox, str(bodies)]
    return float(json.loads(subprocess.run(script, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout))


def again(wishes: Wishes) -> Figures:
    """A Sync when nothing has changed since the last; then a hundredth of the contacts changed."""
    with Parts() as parts:
        parts.step("seed", contacts=wishes.contacts)
        first = settled(parts.step("sync"))
        parts.profile = wishes.profile
        found = [settled(parts.step("sync")) for _ in range(REPEATS)]
        changed = max(2, wishes.contacts // 100)
        parts.step("change", contacts=changed)
        pushed = settled(parts.step("push"))
    middle = sorted(found, key=spent)[REPEATS // 2]
    name = f"Again, nothing changed in {wishes.contacts:,}"
    later = f"{changed:,} of {wishes.contacts:,} changed"
    tags = [call for call in pushed["writes"] if "/segments" in call]
    return [
        Figure.at_most(name, "writes", len(writes(middle)), 0),
        Figure.at_most(name, "preview, confirm and push", spent(middle), 1, "s"),
        Figure(name, "of all computed by the worker", spent(middle, "cpu"), "s"),
        Figure(name, "of all waited for processor and disk", spent(middle) - worked(middle), "s"),
        Figure(name, "ratio to the first Sync", spent(middle) / spent(first), "×"),
        Figure.at_most(later, "write calls besides tags", len(pushed["writes"]) - len(tags), 2),
        Figure(later, "write calls for tags", len(tags)),
        Figure(later, "push", pushed["seconds"], "s"),
    ]


def edits(wishes: Wishes) -> Figures:
    """One edit in the admin to the write at the vendor, with the web server and the worker as in real life."""
    with Parts() as parts:
        parts.step("seed", contacts=max(wishes.edits, 1_000))
        settled(parts.step("sync"))
        seconds = sorted(edit_by_edit(parts, wishes.edits))
    name = f"{wishes.edits:,} edits in the admin, one by one"
    return [
        Figure.at_most(name, "Save to the vendor's answer, median", statistics.median(seconds), 2, "s"),
        Figure.at_most(name, "95th percentile", seconds[int(0.95 * (len(seconds) - 1))], 5, "s"),
        Figure(name, "slowest", seconds[-1], "s"),
    ]


def growth(wishes: Wishes) -> Figures:
    """The time for one contact, as there are more of them; the smallest case is the measure."""
    figures: Figures = []
    measure: dict[str, float] = {}
    for contacts in wishes.growth:
        name = f"Growth: {contacts:,} contacts"
        found = [first_of(contacts, wishes) for _ in range(REPEATS if contacts <= 1_000 else 1)]
        for part, seconds in {
            "preview": [one["preview"]["seconds"] + one["confirm"]["seconds"] for one in found],
            "push": [one["push"]["seconds"] for one in found],
            "computed": [spent(one, "cpu") for one in found],
        }.items():
            each = statistics.median(seconds) / contacts * 1e6
            figures.append(Figure(name, f"{part}, per contact", each, "µs"))
            if part in measure:
                ratio = each / measure[part]
                figures.append(Figure.at_most(name, f"{part}, to the smallest case", ratio, NO_MORE, "×"))
            measure.setdefault(part, each)
        memory = statistics.median(one["memory_mb"] for one in found)
        figures.append(Figure.at_most(name, "peak memory of the worker", memory, 250, "MB"))
    return figures


def first_of(contacts: int, wishes: Wishes) -> dict[str, Any]:
    """A first Sync of so many, in fresh parts."""
    with Parts(wishes.profile) as parts:
        parts.step("seed", contacts=contacts)
        return settled(parts.step("sync"))


SIZES = (1_000, 100_000)  # of the organization whose pages are opened
NO_SLOWER_MS = 100.0  # of the database's time, for one page


def pages(wishes: Wishes) -> Figures:
    """Search and list pages at two sizes: the same number of queries, and little more time."""
    return pages_on("SQLite", lambda: nullcontext(""))


def pages_postgres(wishes: Wishes) -> Figures:
    """The same on PostgreSQL."""
    return pages_on("PostgreSQL", fresh_postgres)


def pages_on(name: str, database: Callable[[], AbstractContextManager[str]]) -> Figures:
    """A fresh database for each size."""
    measured: list[dict[str, dict[str, float]]] = []
    for contacts in SIZES:
        with database() as url, Parts(database=url) as parts:
            parts.step("pages_prepare", contacts=contacts)
            measured.append(parts.step("pages"))
    return page_figures(f"Pages on {name}, {SIZES[-1]:,} contacts to {SIZES[0]:,}", *measured)


@contextmanager
def fresh_postgres() -> Iterator[str]:
    """The address of a server of our own, whatever the environment names."""
    os.environ.pop("DATABASE_URL", None)
    with postgres.database() as url:
        yield url


def page_figures(scenario: str, small: dict[str, dict[str, float]], large: dict[str, dict[str, float]]) -> Figures:
    """For each page the time, how much longer than with few contacts, and what of it is the database's. That part is
    what grows, so it has the aim; what it takes to draw a page of rows (25 contacts) is the same for all."""
    # The page of lists asks once more where there are so many members that it tells the count of last night.
    more = max(int(large[page]["queries"] - small[page]["queries"]) for page in large)
    figures: Figures = [
        Figure.at_most(scenario, f"more queries than at {SIZES[0]:,}, at most", more, 1),
        Figure(scenario, "most queries of a page", max(int(one["queries"]) for one in large.values())),
    ]
    for page, now in large.items():
        figures += [
            Figure(scenario, page, now["ms"], "ms"),
            Figure(scenario, "  computed by the web server", now["cpu"], "ms"),
            Figure.at_most(scenario, "  in the database", now["database"], NO_SLOWER_MS, "ms"),
            Figure(scenario, f"  computed, to {SIZES[0]:,} contacts", now["cpu"] / small[page]["cpu"], "×"),
        ]
    return figures


SCENARIOS: dict[str, Callable[[Wishes], Figures]] = {
    "first_sync": first_sync, "again": again, "edits": edits, "growth": growth, "pages": pages,
    "pages_postgres": pages_postgres,
}  # fmt: skip
