"""Verbs of donor clubs: once a club has changed, everybody is placed anew, in turns; a club that was used stays (A13).

Who is in which club says `gifts/follow.py`; the turns are those of `gifts/running.py`, which a killed process loses
nothing of. A change while a run is on begins it anew, from the first donor.
"""

from django.db import transaction

from gifts import running
from gifts.models import Donor, DonorClub, DonorClubSpell, RuleRun
from gifts.running import AT_ONCE_SECONDS, What

MEANING = ("minimum", "basis", "is_automatic")  # of a club: who is in it follows from these
MOST_CLUBS = 200  # each gift is compared with all of them


class ClubRefused(Exception):
    """It cannot be done, with a sentence that says why; nothing was changed."""


def begin() -> RuleRun:
    """Place everybody anew, in the transaction of the change; a job begins once it is committed."""
    return running.begin(What.CLUBS)


@transaction.atomic
def begin_anew() -> int:
    """The same for somebody who asks for it; returns the number of the run."""
    return int(begin().pk)


def begin_at_once(pk: int) -> RuleRun | None:
    """Work on it while the person waits, which is enough in a small organization; called after the transaction of the
    change. Returns the run as it stands then; None if another change has begun it anew."""
    running.turn(pk, AT_ONCE_SECONDS)
    found: RuleRun | None = RuleRun.objects.filter(pk=pk).first()
    return found


def last_run() -> RuleRun | None:
    """The one that is on, or the last one."""
    found: RuleRun | None = RuleRun.objects.filter(rule=None, what=What.CLUBS).first()
    return found


def why_not_delete(club: DonorClub) -> str:
    """A sentence if somebody is or was in it, or ""; at most three queries."""
    now = Donor.objects.filter(club=club).count()
    if now:
        words = [f"{'1 donor is' if now == 1 else f'{now:,} donors are'} in “{club}”, so it cannot be deleted."]
        if club.is_automatic:
            words.append("Switch off “Fills by itself”, and whoever is in it by what they give leaves it.")
        if Donor.objects.filter(club=club, club_is_by_hand=True).exists():
            words.append("Whoever was placed in it by hand stays until you place them elsewhere.")
        return " ".join(words)
    if DonorClubSpell.objects.filter(club=club).exists():
        return (
            f"Nobody is in “{club}” now, but donors were, and that stays in their history. So it cannot be deleted; "
            "with “Fills by itself” switched off, nobody joins it any more."
        )
    return ""


@transaction.atomic
def delete(club: DonorClub) -> None:
    """Only one that nobody has ever been in. Raises `ClubRefused`."""
    row = DonorClub.objects.select_for_update().filter(pk=club.pk).first()
    if row is None:
        raise ClubRefused("This club is not here any more: somebody deleted it a moment ago.")
    if why := why_not_delete(row):
        raise ClubRefused(why)
    row.delete()
