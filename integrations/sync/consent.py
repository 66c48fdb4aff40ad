"""The one consent check (L35): what a person's own word in the ledger allows. It stands here, not in the providers."""

from collections.abc import Mapping

from contacts.standing import ASK, EVERYWHERE, FREE, OUT, Word, load, standing, strictest

__all__ = ["ASK", "EVERYWHERE", "FREE", "OUT", "Word", "allows", "load", "said_elsewhere", "standing", "strictest"]


def allows(now: Mapping[str, str], list_uid: str, place: str) -> str:
    """free, ask or out, for putting this person on that list in that place."""
    found = {now.get(EVERYWHERE), now.get(f"list:{list_uid}")}
    found |= {now[f"place:{place}"]} if f"place:{place}" in now else said_elsewhere(now, place)
    return OUT if OUT in found else ASK if ASK in found else FREE


def said_elsewhere(now: Mapping[str, str], place: str) -> set[str]:
    """What was said at the same vendor where everybody lived in one place: it was about every list, and still counts
    when lists have moved to places of their own, or all to another one."""
    vendor = place.partition(" ")[0]
    return {
        state
        for scope, state in now.items()
        if scope.startswith(f"place:{vendor} ") and not scope.startswith(f"place:{vendor} list:")
    }
