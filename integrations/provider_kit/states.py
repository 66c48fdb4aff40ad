"""The words that engine and providers share: the state of a person or list there, and the operations between states."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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


@dataclass(frozen=True, slots=True)
class Member:
    """A person in one container there. `lists` are our lists' uids; `ours` tells that we put the person there."""

    address: str
    standing: Standing = Standing.SUBSCRIBED
    fields: Mapping[str, str] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    remote_id: str = ""
    ours: bool = True

    def to_json(self) -> dict[str, Any]:
        """As it is kept in `RemoteRecord.known`."""
        return {
            "address": self.address, "standing": str(self.standing), "fields": dict(self.fields),
            "lists": sorted(self.lists), "remote_id": self.remote_id, "ours": self.ours,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Member":
        return cls(
            data["address"], Standing(data["standing"]), data["fields"], frozenset(data["lists"]),
            data.get("remote_id", ""), data.get("ours", True),
        )  # fmt: skip

    def but(self, **changes: Any) -> "Member":
        """The same person with something changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Operation:
    """One intended change of one person in one container. Repeating it does no harm.

    `by_person` tells an opt-out that is the person's own word from one that staff decided. `ticket` is what the vendor
    gave us when it took the same in before and had not finished.
    """

    verb: Verb
    subject: str  # the contact's uid
    container: str
    before: Member | None
    after: Member
    by_person: bool = False
    ticket: str = field(default="", compare=False)


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
