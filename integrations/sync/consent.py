"""The one consent check (L35): what a person's own word in the ledger allows. It stands here, not in the providers."""

from collections.abc import Mapping

from contacts.standing import ASK, EVERYWHERE, FREE, OUT, Word, is_shared, load, standing, strictest

__all__ = [
    "ASK", "EVERYWHERE", "FREE", "OUT", "Word", "allows", "load", "said_elsewhere", "said_here", "standing",
    "strictest",
]  # fmt: skip


def allows(now: Mapping[str, str], list_uid: str, place: str) -> str:
    """free, ask or out, for putting this person on that list in that place."""
    found = {now.get(EVERYWHERE), now.get(f"list:{list_uid}")}
    found |= {now[f"place:{place}"]} if f"place:{place}" in now else said_elsewhere(now, place)
    return OUT if OUT in found else ASK if ASK in found else FREE


def said_elsewhere(now: Mapping[str, str], place: str) -> set[str]:
    """What was said in other places where everybody lives together, be it an audience that lists have moved from or
    another vendor's account: it was about every list, and counts until the person says something in this place."""
    return {state for scope, state in now.items() if is_shared(scope) and scope != f"place:{place}"}


def said_here(now: Mapping[str, str], place: str) -> bool:
    """Whether a withdrawal was heard in this very place, or holds everywhere."""
    return any(now.get(scope, FREE) != FREE for scope in (EVERYWHERE, f"place:{place}"))
