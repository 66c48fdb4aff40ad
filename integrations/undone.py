"""What the pages say about taking a run back (L37): on its report, on the undo itself, and before a Sync that would
send again what was taken back."""

from typing import Any

from integrations.models import SyncRun
from integrations.sync import undoing
from integrations.sync.taking_back import held_by_undo
from integrations.undo_words import MEANING

State = SyncRun.State
AHEAD = (State.PLANNING, State.READY)


def about(run: SyncRun, service: str) -> dict[str, Any]:
    """What a run's page needs."""
    if run.kind == SyncRun.Kind.UNDO:
        ahead = [words.format(service=service) for words in MEANING] if run.state in AHEAD else []
        return {"meaning": ahead, "undone_run": run.undoes}
    if run.state == State.READY:
        return {"taken_back": held_by_undo(run.connection).count()}
    if run.confirmed_at is None or run.state in SyncRun.UNFINISHED:
        return {}
    undo, why_not = undoing.undo_of(run), undoing.why_not(run)
    is_whole = undo is not None and undo.state == State.DONE and set(undo.outcomes or {}) <= {"done", "skipped"}
    return {"undo": undo, "may_undo": not why_not and not is_whole, "why_not": "" if undo else why_not}
