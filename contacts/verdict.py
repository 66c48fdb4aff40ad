"""May we write to them? One sentence for a contact's page, judged from the strictest reason down (L35). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contacts import standing
from contacts.models import Contact, EmailAddress

Verdict = tuple[str, str]  # sentence, tone
THEIR_OWN_WORD = "Only their own word brings them back."


def verdict(
    contact: Contact, words: standing.Standing, memberships: Sequence[Any], waiting: Sequence[str] = (),
    refused: str = "",
) -> Verdict:  # fmt: skip
    """(sentence, tone) for somebody with these words in the ledger and these places on lists; `waiting` names the
    services that have asked them to confirm; `refused` is why another contact with their address wants nothing at it
    (contacts/sharing.py)."""
    if contact.do_not_contact:
        return "Do Not Contact is set: they get nothing from us, on no list.", "bad"
    broad = {state for scope, state in words.items() if not scope.startswith("list:")}
    if standing.OUT in broad:
        return f"They opted out themselves. {THEIR_OWN_WORD}", "bad"
    if refused:
        return f"Their address also belongs to somebody who {refused}: no notes are sent to it.", "bad"
    if standing.ASK in words.values():
        return "They opted out once. They are asked to confirm before anything is sent again.", "warn"
    open_ones = [m for m in memberships if not m.do_not_contact and word_on(words, m) != standing.OUT]
    shut = [m for m in memberships if m not in open_ones]
    on = f" for {names(open_ones)}" if open_ones else ""
    if waiting:
        service = " and ".join(waiting)
        asked = f"They asked to be written to again{on}. " if standing.FREE in words.values() else ""
        return (
            f"{asked}{service} has asked them to confirm; until they do, nothing is sent from there.{but(shut)}",
            "warn",
        )
    own = [m for m in shut if word_on(words, m) == standing.OUT]
    if own and not open_ones:
        return f"They do not want {names(own)} any more. {THEIR_OWN_WORD}", "bad"
    if own or standing.OUT in words.values():
        asked = "They asked to be written to again" if standing.FREE in broad else "They may be written to"
        if own:
            return f"{asked}{on}, but do not want {names(own)}.", "warn"
        return f"{asked}{on}, but opted out of a list that they are not on now.", "warn"
    if shut:
        return f"They may be written to, but not for {names(shut)}.", "warn"
    return of_address(contact.primary_email)


def of_address(primary: EmailAddress | None) -> Verdict:
    """What their address allows, where their word and Do Not Contact allow everything."""
    if primary is None:
        return "They may be written to, but have no email address here.", "warn"
    if primary.state == EmailAddress.State.COMPLAINED:
        return f"They reported your mail as spam. {THEIR_OWN_WORD}", "bad"
    if primary.state != EmailAddress.State.OK:
        return "They may be written to, but not at the address they have here.", "warn"
    return "They may be written to.", "good"


def word_on(words: Mapping[str, str], membership: Any) -> str:
    """What they said about the list of this place."""
    return words.get(f"list:{membership.contact_list.uid}", "")


def names(memberships: Iterable[Any]) -> str:
    """“A”, “B” and “C”."""
    found = [f"“{m.contact_list}”" for m in memberships]
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def but(shut: Sequence[Any]) -> str:
    """What they get nothing of."""
    return f" They get nothing from {names(shut)}." if shut else ""
