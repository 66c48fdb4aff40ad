"""The judge: the sandbox's own state against the reference, address by address; never the engine's tables."""

from collections.abc import Iterable
from typing import Any

from contacts.models import ConsentEvent, ContactList, HistoryEntry
from tests.model import reference
from tests.model.watch import Watch

FAKE = "example.com"  # the vendor takes every address there for a made-up one


class Judge:
    """Compares what is at the vendor with what must be."""

    def __init__(self, world: Any, watch: Watch) -> None:
        self.world, self.watch = world, watch
        self.is_tags = world.connection.settings["mode"] == "tags"
        self.first_tags = {s.name for s in self.audience(world.audience).segments.values()}
        self.first_audiences = set(world.account.audiences)
        self.said_before = {
            (m.email_address, "unsubscribed")
            for a in self.all_audiences()
            for m in members(a)
            if m.unsubscribed_by == "contact"
        }
        self.untouched = {
            m.contact_id: {self.tag(a, t) for t in m.tags} for a in self.all_audiences() for m in a.members.values()
        }

    # --- there ---
    def audience(self, audience_id: str) -> Any:
        return self.world.account.audiences[audience_id]

    def all_audiences(self) -> list[Any]:
        return list(self.world.account.audiences.values())

    @staticmethod
    def tag(audience: Any, number: int) -> str:
        return str(audience.segments[number].name)

    def container_of(self, list_uid: str) -> str:
        """The container that a list lives in, in the engine's words."""
        return f"audience:{self.world.audience}" if self.is_tags else f"list:{list_uid}"

    def audiences_in_use(self) -> dict[str, Any]:
        """{container: audience}: in audience mode each list is found by its name."""
        if self.is_tags:
            return {f"audience:{self.world.audience}": self.audience(self.world.audience)}
        names = {a.name: a for a in self.all_audiences() if a.id not in self.first_audiences}
        uids = ContactList.objects.values_list("name", "uid")
        return {f"list:{uid}": names[name] for name, uid in uids if name in names}

    def on_lists(self, container: str, audience: Any, member: Any) -> set[str]:
        """The uids of our lists that a member carries there."""
        if not self.is_tags:
            return {container.partition(":")[2]}
        uids = dict(ContactList.objects.values_list("name", "uid"))
        return {str(uids[name]) for number in member.tags if (name := self.tag(audience, number)) in uids}

    # --- the comparison ---
    def verdict(self) -> list[str]:
        """Every difference, as a sentence."""
        return [
            *self.lists_that_differ(), *self.people_who_differ(), *self.strangers_who_were_touched(),
            *self.words_nobody_said(),
        ]  # fmt: skip

    def lists_that_differ(self) -> Iterable[str]:
        """Each synchronized list is there once, under its name; a deleted one is gone, and none is there twice."""
        if self.is_tags:
            there = [s.name for s in self.audience(self.world.audience).segments.values()]
            there = [name for name in there if name not in self.first_tags]
        else:
            there = [a.name for a in self.all_audiences() if a.id not in self.first_audiences]
        return wrong_lists(there)

    def people_who_differ(self) -> Iterable[str]:
        """Whoever has to be there is, as they are here; nobody else is on a list of ours."""
        due = reference.due(self.container_of)
        used = self.audiences_in_use()
        for container, address in due:
            here = members(used[container]) if container in used and not address.endswith(FAKE) else None
            if here is not None and not any(m.email_address.lower() == address for m in here):
                yield f"{address} is not in {used[container].name}"
        for container, audience in used.items():
            for member in members(audience):
                wish = due.get((container, member.email_address.lower()))
                problem = self.wrong_on(container, audience, member, wish) if wish else self.wrong_off(audience, member)
                if problem:
                    yield f"{member.email_address} in {audience.name}: {problem}"

    def wrong_on(self, container: str, audience: Any, member: Any, wish: reference.Due) -> str:
        """What is wrong with somebody who should be on lists."""
        if member.status == "cleaned":
            return ""  # no call can bring them back
        came_back = self.watch.brought.get(member.contact_id, "seed") != "api"
        allowed = {"subscribed"}
        if wish.is_asked:
            allowed = {"pending", "subscribed"} if came_back or not self.is_tags else {"pending"}
        elif member.unsubscribed_by == "contact":
            allowed = {"pending"}  # they had left by themselves when somebody archived them: they are asked
        if member.status not in allowed:
            return f"is {member.status}, should be {' or '.join(allowed)}"
        if (lists := self.on_lists(container, audience, member)) != wish.lists:
            names = {str(u): n for u, n in ContactList.objects.values_list("uid", "name")}
            return f"is on {sorted(names[u] for u in lists)}, should be on {sorted(names[u] for u in wish.lists)}"
        name = (member.merge_fields.get("FNAME", ""), member.merge_fields.get("LNAME", ""))
        return "" if name == wish.name else f"is called {name}, should be {wish.name}"

    def wrong_off(self, audience: Any, member: Any) -> str:
        """What is wrong with somebody who should be on no list of ours."""
        ours = self.watch.brought.get(member.contact_id, "seed") == "api"
        if self.is_tags:
            names = set(ContactList.objects.values_list("name", flat=True))
            tags = sorted({self.tag(audience, number) for number in member.tags} & names)
            if tags and member.status in ("subscribed", "pending"):
                return f"is still on {tags}"
        return f"is still {member.status}" if ours and member.status == "subscribed" else ""

    def strangers_who_were_touched(self) -> Iterable[str]:
        """Tags that the account holder gave are still on (L33)."""
        for audience in self.all_audiences():
            for member in members(audience):
                if lost := self.untouched.get(member.contact_id, set()) - {self.tag(audience, t) for t in member.tags}:
                    yield f"{member.email_address} lost the tags {lost}"

    def words_nobody_said(self) -> Iterable[str]:
        """The ledger tells of nobody's own word without an act of theirs at this vendor (L35)."""
        acts = {(step.address, step.after) for step in self.watch.steps if step.by == "user"} | self.said_before
        return wrong_words(acts, str(self.world.connection))


def wrong_lists(there: list[str]) -> Iterable[str]:
    """What is wrong with the lists of ours that a vendor has, by their names."""
    here = dict(ContactList.objects.values_list("name", "synchronize"))
    for name in there:
        if there.count(name) > 1:
            yield f"list {name} is there {there.count(name)} times"
        if name not in here and name not in former_names():
            yield f"list {name} is still there"
    for name, flag in here.items():
        if flag and name not in there:
            yield f"list {name} is not there"


def former_names() -> set[str]:
    """What lists that are not synchronized now were called before: there they keep the name they had."""
    off = ContactList.objects.filter(synchronize=False).values("uid")
    changes = HistoryEntry.objects.filter(list_uid__in=off, contact_uid=None).values_list("changes", flat=True)
    return {name for change in changes for name in change.get("name", []) if name}


def wrong_words(acts: set[tuple[str, str]], service: str) -> Iterable[str]:
    """Words in the ledger that were heard at this service, and that nobody said there; `acts` are (address, what)."""
    heard = {"opt_out": "unsubscribed", "opt_in": "subscribed"}
    for event in ConsentEvent.objects.filter(by="person", kind__in=heard, source=service):
        if (event.address, heard[event.kind]) not in acts:
            yield f"{event.address} never said {event.kind} at {service}"


def members(audience: Any) -> list[Any]:
    return list(audience.members.values())
