"""The search through all contacts of one organization, in turns; what a turn has reached is kept in `DuplicateSearch`.

First the keys of places are brought up to date, then everybody who shares a key is compared, one kind of key after the
other, then pairs that were found earlier are judged again. Memory holds one batch at a time.
"""

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from contacts.duplicates import find, places
from contacts.duplicates.find import BATCH, KEYS, MOST
from contacts.models import Contact, DuplicatePair, DuplicateSearch
from contacts.models.recorded import chunks

TURN = 15  # seconds
SILENT = timedelta(seconds=60)  # a turn that has said nothing for so long is lost
EXAMPLES = 10  # of what too many share, named on the page
PHASES = ["places", *(key.reason for key in KEYS), "again"]


def state() -> DuplicateSearch:
    """Where the search of the active organization stands."""
    return DuplicateSearch.objects.get_or_create()[0]


def start() -> bool:
    """Begin a search, unless one is under way. Returns whether it begins now."""
    now = timezone.now()
    return bool(
        DuplicateSearch.objects.filter(pk=state().pk, phase="").update(
            phase=PHASES[0], cursor="", too_many=[], too_many_count=0, started_at=now, beat_at=None, token=""
        )
    )


def lost() -> list[int]:
    """The organizations whose search has fallen silent, asked across all of them by the sweep."""
    rows = DuplicateSearch.objects.with_scopes_disabled().exclude(phase="")
    silent = Q(beat_at=None) | Q(beat_at__lt=timezone.now() - SILENT)
    return list(rows.filter(silent, started_at__lt=timezone.now() - SILENT).values_list("tenant_id", flat=True))


def turn(seconds: float = TURN, clock: Callable[[], float] = time.monotonic) -> bool:
    """Search for a while. Returns whether there is more to do; False also when somebody else is at it."""
    search, token = state(), str(uuid.uuid4())
    mine = DuplicateSearch.objects.filter(pk=search.pk)
    silent = Q(token="") | Q(beat_at=None) | Q(beat_at__lt=timezone.now() - SILENT)
    if not mine.filter(silent).exclude(phase="").update(token=token, beat_at=timezone.now()):
        return False
    search.refresh_from_db()
    end = clock() + seconds
    while search.phase:
        step(search)
        kept = {
            name: getattr(search, name) for name in ("phase", "cursor", "too_many", "too_many_count", "finished_at")
        }
        if not mine.filter(token=token).update(beat_at=timezone.now(), **kept):
            return False  # taken over meanwhile
        if clock() >= end:
            break
    mine.filter(token=token).update(token="")
    return bool(search.phase)


def step(search: DuplicateSearch) -> None:
    """One batch of the present phase; on to the next when nothing is left."""
    if search.phase not in PHASES:  # of another version
        search.phase = PHASES[0]
    if search.phase == "places":
        done = of_places(search)
    elif search.phase == "again":
        done = of_known_pairs(search)
    else:
        done = of_keys(search, next(key for key in KEYS if key.reason == search.phase))
    if done:
        following = PHASES[PHASES.index(search.phase) + 1 :]
        search.phase, search.cursor = (following[0] if following else ""), ""
        search.finished_at = search.finished_at if following else timezone.now()


def of_places(search: DuplicateSearch) -> bool:
    """Bring the keys of places up to date."""
    rows = Contact.objects.filter(pk__gt=int(search.cursor or 0)).order_by("pk").values_list("pk", flat=True)
    pks = list(rows[: 2 * BATCH])
    if pks:
        places.refresh(pks)
        search.cursor = str(pks[-1])
    return not pks


def of_keys(search: DuplicateSearch, key: Any) -> bool:
    """The next keys that several contacts share, in the order of their index."""
    rows = key.model.objects.filter(**{f"{key.column}__gt": search.cursor}).order_by(key.column)
    counted = rows.values(key.column).annotate(n=Count("contact", distinct=True)).filter(n__gt=1)
    shared = [(str(value), n) for value, n in counted.values_list(key.column, "n")[:BATCH]]
    if not shared:
        return True
    crowds = [[key.reason, value, n] for value, n in shared if n > MOST]
    search.too_many = [*search.too_many, *crowds][:EXAMPLES]
    search.too_many_count += len(crowds)
    pairs = find.pairs_sharing(key, [value for value, n in shared if n <= MOST])
    for part in chunks(sorted(pairs), BATCH):
        find.judge(part)
    search.cursor = shared[-1][0]
    return False


def of_known_pairs(search: DuplicateSearch) -> bool:
    """Whether the pairs of earlier searches still have something in common."""
    rows = DuplicatePair.objects.filter(pk__gt=int(search.cursor or 0), found_at__lt=search.started_at)
    found = list(rows.order_by("pk").values_list("pk", "first_id", "second_id")[:BATCH])
    if found:
        find.judge((first, second) for _, first, second in found)
        search.cursor = str(found[-1][0])
    return not found
