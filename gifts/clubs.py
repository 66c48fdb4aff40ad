"""Which club a donor is in by what they gave (A13). Pure: clubs and amounts in, a club out."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

LIFETIME, FISCAL_YEAR, LARGEST = "lifetime", "fiscal_year", "largest"


def club_for(clubs: Iterable[Any], given: Mapping[str, Decimal]) -> Any:
    """The one with the highest minimum that is reached, of those that fill by themselves; None if none is. `given` has
    an amount for each basis. Of two with the same minimum it is the one that was made first."""
    reached = [club for club in clubs if club.is_automatic and given[club.basis] >= club.minimum]
    return max(reached, key=lambda club: (club.minimum, -club.pk), default=None)
