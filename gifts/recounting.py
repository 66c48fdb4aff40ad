"""Recount everybody on demand (A7), a thousand donors at a time. Callers who come at once share one run and take turns
at it; whoever comes while it is on waits for its end, and is told what it came to."""

from datetime import timedelta
from time import monotonic

from django.db import IntegrityError, transaction
from django.utils import timezone

from gifts import totals
from gifts.models.totals_run import TotalsRun

SILENCE = timedelta(minutes=2)  # a run that nobody has carried on for so long was given up
KEPT = timedelta(days=1)


def recount_together(seconds: float) -> TotalsRun:
    """Take part in the run that is on, or begin one; the run as it stands at its end, or when the time is over."""
    until = monotonic() + seconds
    pk = run_now()
    while not turn(pk) and monotonic() < until:
        pass
    found: TotalsRun = TotalsRun.objects.get(pk=pk)
    return found


def run_now() -> int:
    """The run that is on; a new one where there is none."""
    while True:
        with transaction.atomic():
            row = TotalsRun.objects.select_for_update().filter(finished_at=None).first()
            if row is not None:
                if row.touched_at < timezone.now() - SILENCE:
                    row.after = row.donors = row.changed = 0
                    row.touched_at = timezone.now()
                    row.save()
                return int(row.pk)
            TotalsRun.objects.filter(finished_at__lt=timezone.now() - KEPT).delete()
        try:
            with transaction.atomic():
                return int(TotalsRun.objects.create().pk)
        except IntegrityError:  # somebody else began one in this moment
            continue


@transaction.atomic
def turn(pk: int) -> bool:
    """The next thousand; whether the run is at its end. One caller at a time: the row is locked."""
    run = TotalsRun.objects.select_for_update().get(pk=pk)
    if run.finished_at is not None:
        return True
    pks = totals.next_donors(run.after)
    if pks:
        found = totals.recount_next(pks)
        run.after = pks[-1]
        run.donors += found.counted
        run.changed += found.changed
    else:
        run.finished_at = timezone.now()
    run.touched_at = timezone.now()
    run.save()
    return run.finished_at is not None
