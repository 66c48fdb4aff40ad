"""The donors API and the donation helper at a real server: calls one after the other, beside the same SQL behind a bare
Django view (`bench.bare_site`), and how each grows with the number of donors."""

import json
import shutil
import statistics
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from itertools import groupby
from pathlib import Path
from typing import Any

import psutil

from bench.parts import PATIENCE, Parts, wait_for
from bench.scenarios import Figure, Figures, Wishes

NO_MORE = 1.5  # times the smallest number of donors
WARM = 3  # calls of a kind that are not counted: the server reads its code, the database its pages
Found = dict[str, dict[str, float]]


def apis(wishes: Wishes) -> Figures:
    """Each number of donors in parts of its own; the smallest is the measure of growth."""
    figures: Figures = []
    first: Found = {}
    for donors in sorted(wishes.donors):
        found = measured(donors)
        first = first or found
        for kind, now in found.items():
            name = f"{donors:,} donors: {kind}"
            figures += [
                Figure(name, "requests a second", now["a_second"]),
                Figure(name, "95th percentile", now["slow_ms"], "ms"),
                Figure(name, "95th percentile, to the same SQL alone", now["slow_ms"] / now["bare_slow_ms"], "×"),
                Figure(name, "time, to the same SQL alone", now["bare_a_second"] / now["a_second"], "×"),
                Figure(name, "computed by the server, a request", now["cpu_ms"], "ms"),
                Figure(name, "of that the same SQL alone", now["bare_cpu_ms"], "ms"),
                Figure(name, "statements, a request", now["statements"]),
            ]
            if found is not first:
                grown = now["cpu_ms"] / first[kind]["cpu_ms"]
                figures.append(Figure.at_most(name, f"computed, to {min(wishes.donors):,} donors", grown, NO_MORE, "×"))
    return figures


def measured(donors: int) -> Found:
    """The same calls three times, each time in a database as it was before: at the server, in a process that notes
    their SQL, and that SQL at the bare site."""
    with Parts(more={"API_CALLS_PER_MINUTE": "1000000", "API_CALLS_PER_MINUTE_ORGANIZATION": "1000000"}) as parts:
        calls, noted = parts.folder / "calls.json", parts.folder / "sql.jsonl"
        parts.step("seed_apis", donors=donors, calls=str(calls))
        seeded = parts.folder / "bench.sqlite3"
        rows: list[dict[str, Any]] = json.loads(calls.read_text())
        use(parts, seeded, "server")
        real = served(parts, "config.wsgi", "/api/v2/", rows)
        use(parts, seeded, "noted")
        statements = parts.step("note_sql", calls=str(calls), file=str(noted))
        use(parts, seeded, "bare")
        parts.more |= {"DJANGO_SETTINGS_MODULE": "bench.bare_settings", "BENCH_SQL": str(noted)}
        parts.web = parts.another_address()
        bare = served(parts, "bench.bare_site", "/", [
            row | {"method": "POST", "path": f"/{number}", "body": None} for number, row in enumerate(rows)
        ])  # fmt: skip
    return {
        kind: now | {f"bare_{name}": value for name, value in bare[kind].items()} | {"statements": statements[kind]}
        for kind, now in real.items()
    }


def use(parts: Parts, seeded: Path, name: str) -> None:
    """From now on a copy of the database as it was seeded."""
    copy = parts.folder / f"{name}.sqlite3"
    shutil.copy(seeded, copy)
    parts.database = f"sqlite:///{copy}"


def served(parts: Parts, site: str, ready: str, rows: list[dict[str, Any]]) -> Found:
    """Start a server, and make all calls, kind after kind."""
    host = parts.web.removeprefix("http://")
    server = parts.run("-m", "gunicorn", "-k", "gthread", "--threads", "8", "-b", host, site)
    wait_for(parts.web + ready)
    with_children = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]
    return {kind: of_kind(host, list(part), with_children) for kind, part in groupby(rows, lambda row: row["kind"])}


def of_kind(host: str, rows: list[dict[str, Any]], server: list[psutil.Process]) -> dict[str, float]:
    """One client, one call after the other."""
    seconds = list(timed(host, rows[:WARM]))
    before = computed(server)
    seconds = sorted(timed(host, rows[WARM:]))
    cpu = computed(server) - before
    return {
        "a_second": 1 / statistics.mean(seconds), "slow_ms": seconds[int(0.95 * (len(seconds) - 1))] * 1000,
        "cpu_ms": cpu / len(seconds) * 1000,
    }  # fmt: skip


def timed(host: str, rows: list[dict[str, Any]]) -> Iterator[float]:
    """The seconds from sending to the last byte of each; an answer that is not 200 ends it all."""
    connection = HTTPConnection(host, timeout=PATIENCE)
    for row in rows:
        content = None if row["body"] is None else json.dumps(row["body"])
        started = time.perf_counter()
        connection.request(row["method"], row["path"], content, row["headers"])
        answer = connection.getresponse()
        text = answer.read()
        yield time.perf_counter() - started
        if answer.status != 200:
            raise RuntimeError(f"{row['kind']} was answered {answer.status}: {text.decode(errors='replace')[:500]}")
    connection.close()


def computed(server: list[psutil.Process]) -> float:
    """The seconds of processor time that a server has taken so far; SQLite computes in it, too."""
    return sum(sum(process.cpu_times()[:2]) for process in server)
