"""What a provider is: data about itself and a few short methods. The engine knows no provider by name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, ClassVar

from integrations.provider_kit.errors import Outcome, Unsupported
from integrations.provider_kit.states import ListOperation, Member, Operation, Places


class Can(Enum):
    """What a provider is able to do; the engine asks for nothing else."""

    PUSH_LISTS = auto()
    PUSH_CONTACTS = auto()
    READ_OPT_OUTS = auto()
    WEBHOOKS = auto()
    OAUTH = auto()


@dataclass(frozen=True, slots=True)
class Policy:
    """How a vendor models people and lists, as data.

    `container` is the one place where everybody lives ("audience:ab12"); empty means that each list is a container of
    its own ("list:<uid>").
    """

    container: str = ""
    batch_size: int = 500
    obeys_do_not_contact: bool = True

    def container_of(self, list_uid: str) -> str:
        """The container that members of this list live in."""
        return self.container or f"list:{list_uid}"


@dataclass(frozen=True, slots=True)
class Account:
    """Who granted access: the vendor's id for them, a name for people, and what a later call needs to know."""

    account_id: str
    label: str
    secret: Mapping[str, Any]  # goes into the encrypted credential
    settings: Mapping[str, Any]  # goes into the connection's settings as a first proposal


@dataclass(frozen=True, slots=True)
class Heard:
    """A vendor's message, as a hint: whom to look at, in which container, and what it was about."""

    kind: str  # "look" (read the person and apply what the vendor says) or "ignore"
    container: str = ""
    addresses: tuple[str, ...] = ()
    remote_id: str = ""
    sentence: str = ""


class Provider:
    """A kind of service. Subclasses live in `integrations/providers/`, one file each, and are found by their `key`."""

    key: ClassVar[str] = ""
    label: ClassVar[str] = ""
    blurb: ClassVar[str] = ""  # one sentence on the setup card
    can: ClassVar[frozenset[Can]] = frozenset()

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.settings: Mapping[str, Any] = connection.settings

    # --- pure ---
    @classmethod
    def policy(cls, settings: Mapping[str, Any]) -> Policy:
        """How people and lists are modelled there under these settings."""
        raise Unsupported

    @classmethod
    def is_set_up(cls, settings: Mapping[str, Any]) -> bool:
        """Whether these settings are complete enough to push."""
        raise Unsupported

    # --- connecting ---
    @classmethod
    def is_available(cls) -> bool:
        """Whether this installation has what it takes to offer the provider (an application key, say)."""
        raise Unsupported

    @classmethod
    def authorize_url(cls, state: str, redirect_uri: str) -> str:
        """Where the person is sent to allow access."""
        raise Unsupported

    @classmethod
    def account_from_code(cls, code: str, redirect_uri: str) -> Account:
        """Trade the code for a token and find out whose it is. Raises `CallFailed`."""
        raise Unsupported

    # --- pushing: generators, so that the engine settles as answers come and may stop between two ---
    def carry_out(self, operations: Iterable[Operation], places: Places) -> Iterator[tuple[Operation, Outcome]]:
        """Send these operations, batched where the vendor can, and yield an outcome for each, in any order."""
        raise Unsupported

    def carry_out_list(self, operation: ListOperation) -> Outcome:
        """Create, rename or delete one list there; `Done.remote_id` is its id."""
        raise Unsupported

    def find_list(self, operation: ListOperation) -> str:
        """The id of a list of that name in that place, or "". Asked before a creation that may have happened."""
        raise Unsupported

    # --- hearing ---
    def opt_outs(self, container: str) -> Iterator[Member]:
        """Everybody who is unsubscribed or cleaned in this container now."""
        raise Unsupported

    def look(self, container: str, address: str, remote_id: str = "") -> Member | None:
        """One person as they are there now, or None if there is nobody."""
        raise Unsupported

    def listen(self, url: str) -> None:
        """Have the vendor send its messages to this address; called after settings are saved. Repeating is harmless."""
        raise Unsupported

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether a message that came to our unguessable address is genuine, as far as the vendor lets us tell."""
        raise Unsupported

    @classmethod
    def hear(cls, body: str) -> Heard:
        """What a stored message means."""
        raise Unsupported

    # --- pages ---
    @classmethod
    def settings_form(cls) -> type[Any]:
        """A Django form class `(data, initial, connection)` whose `to_settings()` gives the settings to keep."""
        raise Unsupported
