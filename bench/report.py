"""The figures as a table for people and as JSON for scripts."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.scenarios import Figure

VERDICT = {True: "met", False: "NOT MET", None: ""}


def heading(machine: dict[str, Any]) -> str:
    """The machine in two lines."""
    load = " ".join(str(one) for one in machine["load"])
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}\n"
        f"Python {machine['python']}, SQLite {machine['sqlite']}, load {load} at the start, {machine['at']}\n"
    )


def table(figures: Iterable[Figure]) -> str:
    """One block for each scenario."""
    lines = []
    for scenario, rows in groupby(figures, lambda figure: figure.scenario):
        lines.append(f"\n{scenario}")
        lines += [
            f"  {row.name:<40} {shown(row.value):>9} {row.unit:<3} {row.aim:<10} {VERDICT[row.met]}".rstrip()
            for row in rows
        ]
    return "\n".join(lines)


def shown(value: float) -> str:
    """As many digits as mean something."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def keep(path: Path, machine: dict[str, Any], load_after: list[float], figures: list[Figure]) -> None:
    """Write everything down."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine | {"load_after": load_after}, "figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
