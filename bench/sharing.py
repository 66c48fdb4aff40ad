"""Where a vendor counts the calls of all organizations together (L29): a first Sync against the quota of a day, and
what a flood of changes in one organization does to a single edit in another."""

import statistics
import time
from typing import Any

import requests

from bench import LOGIN, PASSWORD
from bench.edits import one_edit, start_web_and_worker, submit
from bench.parts import PATIENCE, Parts, slow_answers
from bench.scenarios import WORK, Figure, Figures, Wishes, settled, spent

VENDOR, A_DAY, A_SECOND = "constant_contact", 10_000, 4
ORGANIZATIONS = 20
FLOOD = 10  # times the contacts that were asked for: 100,000 changes


def counted_sync(wishes: Wishes) -> Figures:
    """The first Sync over Constant Contact: what it takes of the day's calls, at four a second."""
    name = f"First Sync of {wishes.contacts:,} over Constant Contact"
    with Parts(wishes.profile, vendor=VENDOR) as parts:
        parts.step("seed", contacts=wishes.contacts)
        with slow_answers(parts, 100):
            found = settled(parts.step("sync"))
        refused = [call for call in calls(parts) if call["status"] == 429]
        again = settled(parts.step("sync"))
        changed = max(2, wishes.contacts // 100)
        parts.step("change", contacts=changed)
        pushed = settled(parts.step("push"))
    return [
        Figure(name, "calls", spent(found, "calls")),
        Figure(name, "of the calls of a day", 100 * spent(found, "calls") / A_DAY, "%"),
        Figure(name, "calls per 500 people", spent(found, "calls") / (wishes.contacts / 500)),
        Figure.at_most(name, "calls that the vendor refused", len(refused), 0),
        Figure(name, "preview, confirm and push", spent(found), "s"),
        *(Figure(name, f"of that {part}", found[part]["seconds"], "s") for part in WORK),
        Figure(name, "calls of a Sync when nothing has changed", spent(again, "calls")),
        Figure(name, f"calls when {changed:,} have changed", pushed["calls"]),
    ]


def flood(wishes: Wishes) -> Figures:
    """Twenty organizations with one application key. One has many changes; another's single edits are followed."""
    changes, edits = wishes.contacts * FLOOD, max(5, wishes.edits // 5)
    with Parts(vendor=VENDOR) as parts:
        parts.step("seed", contacts=max(200, edits))
        settled(parts.step("sync"))
        parts.step("neighbours", count=ORGANIZATIONS - 1, contacts=changes)
        contacts = parts.step("contacts")
        start_web_and_worker(parts)
        with requests.Session() as browser:
            submit(browser, parts.web + "/admin/login/", {"username": LOGIN, "password": PASSWORD})
            idle = [one_edit(parts, browser, pk, "river") for pk in contacts[:edits]]
            since = len(parts.control("calls"))
            parts.step("flood")
            wait_for_the_flood(parts, since)
            flooded = [one_edit(parts, browser, pk, "river") for pk in contacts[edits : 2 * edits]]
        made = calls(parts)
        left = parts.step("waiting")
    name = f"{ORGANIZATIONS} organizations, one of them with {changes:,} changes"
    moments = sorted(call["at"] - call["ms"] / 1000 for call in made)  # when it came in; it is noted when answered
    return [
        Figure(name, "single edit of another, idle system, median", statistics.median(idle), "s"),
        Figure(name, "the same during the flood, median", statistics.median(flooded), "s"),
        Figure(name, "ratio", statistics.median(flooded) / statistics.median(idle), "×"),
        Figure.at_most(name, "slowest during the flood", max(flooded), 60, "s"),
        Figure.at_most(name, "most calls in any second", most_in_a_second(moments), A_SECOND),
        Figure.at_most(name, "calls that the vendor refused", sum(call["status"] == 429 for call in made), 0),
        Figure(name, "changes of the flood still waiting at the end", left),
    ]


def calls(parts: Parts) -> list[dict[str, Any]]:
    """The calls of the API; signing in is not counted there."""
    return [call for call in parts.control("calls") if call["path"].startswith("/v3/")]


def wait_for_the_flood(parts: Parts, since: int) -> None:
    """Until the other organization's changes are going out."""
    until = time.monotonic() + PATIENCE
    while not any(call["account"] == "harbor" for call in parts.control(f"calls?since={since}")):
        if time.monotonic() > until:
            raise TimeoutError("The flood does not begin.")
        time.sleep(0.2)


def most_in_a_second(moments: list[float]) -> int:
    """The largest number of calls in any second."""
    first = most = 0
    for last, at in enumerate(moments):
        while at - moments[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most
