"""What came of a Sync, as sentences: of one that is ahead what would be done, of one that is over what was done."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count

from integrations.checkup import sentences
from integrations.models import RunItem, SyncRun
from integrations.words import some, sum_up

State = SyncRun.State
AHEAD = (State.PLANNING, State.READY)


def with_results(runs: Iterable[SyncRun]) -> list[tuple[SyncRun, list[str]]]:
    """Each run with its sentences. What is over was counted when it ended; the few that were not are counted now."""
    runs = list(runs)
    uncounted = [run for run in runs if run.confirmed_at and run.outcomes is None and run.state not in run.UNFINISHED]
    counted: dict[int, dict[str, dict[str, int]]] = {run.pk: {} for run in uncounted}
    if uncounted:
        rows: Any = RunItem.objects.filter(run__in=uncounted).order_by().values_list("run", "state", "verb")
        for pk, state, verb, count in rows.annotate(Count("pk")):
            counted[pk].setdefault(state, {})[verb] = count
    return [(run, result_of(run, counted.get(run.pk) or run.outcomes or {})) for run in runs]


def result_of(run: SyncRun, outcomes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """“12 people added. 2 were refused.”"""
    if run.kind == SyncRun.Kind.CHECK and run.confirmed_at is None and run.state in (State.READY, State.DONE):
        return sentences(run)
    if run.confirmed_at is None and run.state not in AHEAD:
        return ["Nothing was sent."]
    if run.state in run.UNFINISHED:
        nothing = "Being made." if run.state == State.PLANNING else "Nothing to send."
        return sum_up(run.counts, ahead=True) or [nothing]
    return done(outcomes) or ["There was nothing to send."]


def done(outcomes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What was done, and what was not although it had been shown."""
    said = sum_up(outcomes.get(RunItem.State.DONE, {}))
    for state, one, many in NOT_DONE:
        if count := sum(outcomes.get(state, {}).values()):
            said.append(f"{some(count, one, many)}.")
    return said


NOT_DONE = [
    (RunItem.State.REFUSED, "was refused", "were refused"),
    (RunItem.State.HELD, "waits for your answer", "wait for your answer"),
    (RunItem.State.CHANGED, "was changed after the preview", "were changed after the preview"),
    (RunItem.State.SHOWN, "was not sent", "were not sent"),
    (RunItem.State.SKIPPED, "was left out", "were left out"),
]
