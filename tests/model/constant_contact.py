"""Eyes and judge for Constant Contact: what changed there and by whom, and whether what is there is what must be."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from contacts.models import ContactList
from tests.fakes.constant_contact import activity_work
from tests.fakes.constant_contact.state import Account, Contact
from tests.model import reference
from tests.model.check import wrong_lists, wrong_words
from tests.model.watch import Step

PLACE = "account"  # where everybody lives there, in the engine's words
VENDOR = "constant_contact"


def standing(contact: Contact, ours: set[str]) -> str:
    """How somebody stands there; mail goes to lists, so whoever is on none of ours is "off"."""
    if contact.deleted_at:
        return "deleted"
    if contact.permission == "pending_confirmation" or contact.confirm_status == "pending":
        return "pending"
    if contact.permission == "unsubscribed":
        return "unsubscribed"
    return "subscribed" if ours & contact.lists.keys() else "off"


@dataclass
class Watch:
    """Compares the account before and after each call and each act, so that every change has somebody who made it."""

    sandbox: Any
    account: Account
    first_lists: set[str]
    steps: list[Step] = field(default_factory=list)
    said: set[tuple[str, str]] = field(default_factory=set)  # (address, what) of what people did themselves
    ever_ours: set[str] = field(default_factory=set)
    seen: dict[str, tuple[str, bool]] = field(default_factory=dict)  # {contact id: (standing, by their own word)}

    @property
    def ours(self) -> set[str]:
        """The ids of the lists that we made."""
        return self.account.lists.keys() - self.first_lists

    def look(self, by: str = "api") -> None:
        """Note what has changed since the last look."""
        with self.account.lock:
            activity_work.advance(self.account, self.sandbox.now(), self.sandbox.options)
            for contact in self.account.contacts:
                self.compare(contact, by)

    def compare(self, contact: Contact, by: str) -> None:
        """One contact."""
        before, own_word = self.seen.get(contact.contact_id, ("", False))
        after = standing(contact, self.ours)
        by_themselves = after == "unsubscribed" and contact.opt_out_source == "Contact"
        self.seen[contact.contact_id] = after, by_themselves
        if after == before:
            return
        address, was_ours = contact.address.lower(), contact.contact_id in self.ever_ours
        self.steps.append(Step(by, PLACE, contact.contact_id, address, before, after, own_word, was_ours))
        if by == "api" and after in ("subscribed", "pending"):
            self.ever_ours.add(contact.contact_id)
        if by == "user":
            self.said.add((address, "unsubscribed" if after == "unsubscribed" else "subscribed"))


class Judge:
    """Compares what is there with the reference, contact by contact; never the engine's tables."""

    def __init__(self, world: Any) -> None:
        self.world, self.account = world, world.account
        self.watch = Watch(world.sandbox, self.account, set(self.account.lists))
        self.watch.look("seed")
        self.watch.steps.clear()
        self.said_before = {(c.address.lower(), "unsubscribed") for c in self.account.contacts if left_by_choice(c)}
        self.untouched: dict[str, set[str]] = {}
        self.remember_theirs()

    def remember_theirs(self) -> None:
        """The lists of theirs that people are on; after each act of somebody there."""
        self.untouched = {c.contact_id: self.watch.first_lists & c.lists.keys() for c in self.account.contacts}

    def due(self) -> dict[tuple[str, str], reference.Due]:
        """What has to be there."""
        return reference.due(lambda uid: PLACE, VENDOR)

    def verdict(self) -> list[str]:
        """Every difference, as a sentence."""
        living = [each for each in self.account.lists.values() if not each.deleted_at]
        problems = [
            *wrong_lists([each.name for each in living if each.list_id in self.watch.ours]), *self.people_who_differ(),
            *self.strangers_who_were_touched(),
            *wrong_words(self.watch.said | self.said_before, str(self.world.connection)),
        ]  # fmt: skip
        return [f"Constant Contact: {problem}" for problem in problems]

    def people_who_differ(self) -> Iterable[str]:
        """Whoever has to be there is, as they are here; nobody else is on a list of ours."""
        due = self.due()
        held = {contact.address.lower(): contact for contact in self.account.contacts}
        for _, address in due:
            if address not in held:
                yield f"{address} is not there"
        for address, contact in held.items():
            wish = due.get((PLACE, address))
            if problem := self.wrong_on(contact, wish) if wish else self.wrong_off(contact):
                yield f"{address}: {problem}"

    def names_of_lists(self, contact: Contact) -> set[str]:
        """Our lists that somebody is on there."""
        return {self.account.lists[each].name for each in contact.lists if each in self.watch.ours}

    def wrong_on(self, contact: Contact, wish: reference.Due) -> str:
        """What is wrong with somebody who should be on lists."""
        now = standing(contact, self.watch.ours)
        if wish.is_asked and now == "unsubscribed" and contact.was_resubscribed:
            return ""  # the vendor asks once only
        if now not in (("pending", "subscribed") if wish.is_asked else ("subscribed",)):
            return f"is {now}, should be {'asked' if wish.is_asked else 'subscribed'}"
        wanted = set(ContactList.objects.filter(uid__in=wish.lists).values_list("name", flat=True))
        if (lists := self.names_of_lists(contact)) != wanted:
            return f"is on {sorted(lists)}, should be on {sorted(wanted)}"
        name = (contact.core.get("first_name", ""), contact.core.get("last_name", ""))
        return "" if name == wish.name else f"is called {name}, should be {wish.name}"

    def wrong_off(self, contact: Contact) -> str:
        """What is wrong with somebody who should be on no list of ours."""
        lists = sorted(self.names_of_lists(contact))
        return f"is still on {lists}" if lists and standing(contact, self.watch.ours) == "subscribed" else ""

    def strangers_who_were_touched(self) -> Iterable[str]:
        """Lists of theirs are left alone (L33)."""
        for contact in self.account.contacts:
            if lost := self.untouched.get(contact.contact_id, set()) - contact.lists.keys():
                yield f"{contact.address} lost the lists {lost}"


def left_by_choice(contact: Contact) -> bool:
    """Whether they had unsubscribed themselves."""
    return contact.permission == "unsubscribed" and contact.opt_out_source == "Contact"
