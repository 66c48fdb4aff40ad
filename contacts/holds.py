"""Who may not be deleted, because apps above keep something of theirs that must not lose its owner, such as gifts."""

from collections.abc import Callable, Collection

from contacts.models import Contact

# {contact: what there is of theirs, such as “3 gifts”} of these contacts, in a fixed number of queries
Hold = Callable[[Collection[int]], dict[int, str]]

_holds: list[Hold] = []


class Held(Exception):
    """A contact cannot be deleted; the sentence says why, and what to do instead."""


def add_hold(hold: Hold) -> None:
    """Called once by an app above, when it is ready. Its rows refer to contacts with `RESTRICT`, so that the database
    refuses what a page should overlook."""
    if hold not in _holds:
        _holds.append(hold)


def held(pks: Collection[int]) -> dict[int, str]:
    """{contact: what holds it} of those that may not be deleted."""
    found: dict[int, list[str]] = {}
    for hold in _holds:
        for pk, words in hold(pks).items():
            found.setdefault(pk, []).append(words)
    return {pk: " and ".join(words) for pk, words in found.items()}


def sentence(contact: Contact, words: str) -> str:
    """Why this contact stays."""
    return (
        f"{contact} has {words}, which would be left without a donor, so the contact cannot be deleted. If they are "
        "here twice, merge the two; if they want to hear nothing more, mark them Do Not Contact."
    )


def refuse_if_held(contact: Contact) -> None:
    """Raise `Held` with the sentence if this contact may not be deleted."""
    if words := held([contact.pk]).get(contact.pk):
        raise Held(sentence(contact, words))
