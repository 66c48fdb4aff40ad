"""The check: a large list is compared with what the vendor has, untouched and after some of it was meddled with."""

from bench.parts import Parts
from bench.scenarios import Figure, Figures, Wishes, settled

WHOLE = 100.0


def comparison(wishes: Wishes) -> Figures:
    """Everybody there is read and compared; then what was meddled with is found, repaired, and compared once more."""
    count = wishes.members
    name, later = f"Comparison of a list of {count:,}", f"The same, {count // 100:,} of them meddled with"
    with Parts() as parts:
        parts.step("seed", contacts=count)
        settled(parts.step("sync"))
        parts.profile = wishes.profile
        found = parts.step("check")
        meddled = parts.step("meddle", count=count // 100)
        again = parts.step("check")
        repaired = parts.step("repair")
        last = parts.step("check")
    return [
        Figure.at_most(name, "calls per 500 people", found["calls"] / (count / 500), 1),
        Figure(name, "calls", found["calls"]),
        Figure.at_most(name, "writes", len(found["writes"]), 0),
        Figure(name, "read and compared", found["seconds"], "s"),
        Figure(name, "of that computed by the worker", found["cpu"], "s"),
        Figure(name, "of that at the vendor", found["vendor_seconds"], "s"),
        Figure(name, "computed, per person", found["cpu"] / count * 1e6, "µs"),
        Figure(name, "peak memory of the worker", found["memory_mb"], "MB"),
        Figure(name, "of that before it began", found["memory_at_start_mb"], "MB"),
        # Of those who were archived there some are looked at: they may have unsubscribed before.
        Figure.at_most(later, "calls per 500 people", again["calls"] / (count / 500), 1 + 20 / (count / 500)),
        Figure(later, "differences made", meddled["made"]),
        Figure(later, "of them found, with the right class", again["shown"].get("found", 0)),
        Figure(later, "in step", again["in_step"], "%"),
        Figure(later, "repair", repaired["seconds"], "s"),
        Figure(later, "calls of the repair", repaired["calls"]),
        Figure(later, "in step after the repair", last["in_step"], "%", "= 100 %", last["in_step"] == WHOLE),
    ]
