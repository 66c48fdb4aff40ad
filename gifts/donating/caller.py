"""Whose call it is, as far as the work has to know."""

from dataclasses import dataclass

from contacts.models import ContactList


@dataclass(frozen=True, slots=True)
class Caller:
    """A program with a key, or a form on a website without one.

    `joins` is the list that its key names: people who are new join it, and “subscribed” is about it. Without one,
    “subscribed” is about all mail of the organization. `is_blind`: anybody may have filled in that form.
    """

    joins: ContactList | None = None
    is_blind: bool = False


KEYED, BLIND = Caller(), Caller(is_blind=True)
