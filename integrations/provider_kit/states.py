"""The words that engine and providers share: the state of a person or list there, and the operations between states."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class Standing(StrEnum):
    """How a person stands in one container (an audience, an account) at a vendor."""

    SUBSCRIBED = "subscribed"
    PENDING = "pending"  # asked to confirm, has not yet
    UNSUBSCRIBED = "unsubscribed"
    CLEANED = "cleaned"  # the vendor found the address dead, or was told of spam
    ARCHIVED = "archived"  # disabled by us; reversible, no withdrawal of consent
    REMOVED = "removed"  # archived or deleted there by somebody else


class Verb(StrEnum):
    """What an operation does, in the order in which people want to read it."""

    CREATE_LIST = "create_list"
    RENAME_LIST = "rename_list"
    DELETE_LIST = "delete_list"
    CREATE = "create"  # someone new there
    UPDATE = "update"  # name, address, lists; standing stays
    ENABLE = "enable"  # subscribed again, by a recorded decision
    ASK = "ask"  # asked to confirm
    OPT_OUT = "opt_out"  # unsubscribed and off the lists
    DISABLE = "disable"  # off the lists, archived


class Owner(StrEnum):
    """Whose value of a field counts where this side and a vendor differ (L22)."""

    OURS = "ours"  # sent, and put right again there
    THEIRS = "theirs"  # taken over here, and never written over
    NEWEST = "newest"  # of whoever changed it last
    FILL = "fill"  # each side keeps what it has; only what is empty is filled in


@dataclass(frozen=True, slots=True)
class Member:
    """A person in one container there. `lists` are our lists' uids; `ours` tells that we put the person there.

    `joint`: the name is one for several who share the address, made up by us. `changed_at` is when the vendor says that
    this person was last changed, if it says; it is not kept.
    """

    address: str
    standing: Standing = Standing.SUBSCRIBED
    fields: Mapping[str, str] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    remote_id: str = ""
    ours: bool = True
    joint: bool = False
    changed_at: datetime | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """As it is kept in `RemoteRecord.known`."""
        return {
            "address": self.address, "standing": str(self.standing), "fields": dict(self.fields),
            "lists": sorted(self.lists), "remote_id": self.remote_id, "ours": self.ours,
            **({"joint": True} if self.joint else {}),
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Member":
        return cls(
            data["address"], Standing(data["standing"]), data["fields"], frozenset(data["lists"]),
            data.get("remote_id", ""), data.get("ours", True), data.get("joint", False),
        )  # fmt: skip

    def but(self, **changes: Any) -> "Member":
        """The same person with something changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Operation:
    """One intended change of one person in one container. Repeating it does no harm.

    `by_person` tells an opt-out that is the person's own word from one that staff decided. `ticket` is what the vendor
    gave us when it took the same in before and had not finished.

    `spares` names fields that are not ours alone (L22): such a field is written only if it is to change, and only where
    there is still what `before` says (nothing, of somebody we did not know there). What is found there instead is told
    in `Done.now.fields`, and the engine decides what becomes of it. `fields_for` and `fields_now` know these rules.
    """

    verb: Verb
    subject: str  # the contact's uid
    container: str
    before: Member | None
    after: Member
    by_person: bool = False
    ticket: str = field(default="", compare=False)
    spares: frozenset[str] = frozenset()

    def changes(self, name: str) -> bool:
        """Whether this field is to be another one than we knew."""
        known = self.before.fields if self.before else {}
        return not same_value(self.after.fields.get(name, ""), known.get(name, ""))

    @property
    def reads_first(self) -> bool:
        """Whether something spared is to change, so that what is there must be read before it is written over."""
        return any(self.changes(name) for name in self.spares & self.after.fields.keys())

    def fields_for(self, there: Mapping[str, str] | None = None) -> dict[str, str]:
        """What to write to somebody who has these fields there now; without them, what may be written unread.

        Whoever is new there gets all of `after.fields`."""
        known = self.before.fields if self.before else {}
        return {
            name: value
            for name, value in self.after.fields.items()
            if name not in self.spares
            or (there is not None and self.changes(name) and same_value(there.get(name, ""), known.get(name, "")))
        }

    def fields_now(self, there: Mapping[str, str]) -> dict[str, str]:
        """The fields of somebody whom the vendor shows so afterwards: of what is spared, what is there."""
        return {
            name: there[name] if name in self.spares and not same_value(value, there.get(name, value)) else value
            for name, value in self.after.fields.items()
        }


@dataclass(frozen=True, slots=True)
class ListOperation:
    """One intended change of one list. `place` is where it lives there: a container, or a container of its own."""

    verb: Verb
    subject: str  # the list's uid
    place: str
    name: str
    remote_id: str = ""  # "" for a list that is to be created
    members: int = 0


class Places(dict[tuple[str, str], str]):
    """{(list uid, place): the vendor's id of that list there}, and the names they have there."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[tuple[str, str], str] = {}

    def name(self, list_uid: str, place: str) -> str:
        """The list's name there, or ""."""
        return self.names.get((list_uid, place), "")


def same_value(one: str, other: str) -> bool:
    """Whether two spellings of a name are one: spaces, and how accents are put together, are no difference."""
    return one == other or _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
