"""`python -m bench`: measure, print the table, write var/bench.json. It reports; it never fails for being slow."""

import argparse
import sys
from pathlib import Path

from bench.apis import apis
from bench.comparing import comparison
from bench.exporting import export
from bench.importing import import_file
from bench.machine import load, machine
from bench.milestones import milestones
from bench.parts import ROOT
from bench.polling import polling
from bench.report import heading, keep, table
from bench.scenarios import SCENARIOS, Figure, Wishes
from bench.sharing import counted_sync, flood

SCENARIOS |= {
    "export": export,
    "import": import_file,
    "milestones": milestones,
    "polling": polling,
    "comparison": comparison,
    "counted_sync": counted_sync,
    "flood": flood,
    "apis": apis,
}


def arguments() -> argparse.Namespace:
    """What to measure, and how much of it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), help="these scenarios")
    parser.add_argument("--contacts", type=int, default=10_000, help="how many are synchronized (10000)")
    parser.add_argument("--edits", type=int, default=100, help="how many edits are followed (100)")
    parser.add_argument("--members", type=int, default=20_000, help="of the list that is compared (20000)")
    parser.add_argument("--growth", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="numbers of contacts")
    parser.add_argument("--gifts", type=int, default=100_000, help="how many gifts reach milestones (100000)")
    parser.add_argument(
        "--gift-growth", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="numbers of gifts"
    )
    parser.add_argument("--polled", type=int, default=100_000, help="how many gifts a service holds (100000)")
    parser.add_argument("--donors", type=int, nargs="+", default=[1_000, 100_000], help="of whom the APIs are asked")
    parser.add_argument("--profile", type=Path, help="keep a profile of the last Sync in this file (slows it down)")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench.json", help="where the figures go")
    return parser.parse_args()


def main() -> int:
    """Scenario after scenario, each shown as soon as it is known."""
    asked = arguments()
    profile = asked.profile.absolute() if asked.profile else None
    wishes = Wishes(
        asked.contacts, asked.edits, asked.members, asked.growth, profile, asked.gifts, asked.polled, asked.gift_growth,
        asked.donors,
    )  # fmt: skip
    measured_on = machine()
    print(heading(measured_on), flush=True)
    figures: list[Figure] = []
    for name in asked.only:
        found = SCENARIOS[name](wishes)
        figures += found
        print(table(found), flush=True)
    keep(asked.json, measured_on, load(), figures)
    missed = sum(figure.met is False for figure in figures)
    print(f"\nLoad at the end: {' '.join(map(str, load()))}. Aims not met: {missed}. Written to {asked.json}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
