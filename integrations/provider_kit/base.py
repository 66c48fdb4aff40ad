"""What a provider is: data about itself and a few short methods. The engine knows no provider by name."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, auto
from typing import Any, ClassVar, Self

from django.core.exceptions import ObjectDoesNotExist

from integrations.keyring import Unreadable
from integrations.provider_kit.errors import CallFailed, Outcome, Reconnect, Unsupported
from integrations.provider_kit.giving import GiftPage, Interaction
from integrations.provider_kit.states import ListOperation, Member, Operation, Owner, Places


class Can(Enum):
    """What a provider is able to do; the engine asks for nothing else."""

    PUSH_LISTS = auto()
    PUSH_CONTACTS = auto()
    READ_OPT_OUTS = auto()
    READ_MEMBERS = auto()  # everybody who is there, page by page, and the lists that exist there
    WEBHOOKS = auto()
    OAUTH = auto()
    KEEP_ALIVE = auto()  # the grant runs out for want of use
    KEY = auto()  # staff enter a key that the vendor gave them
    PULL_GIFTS = auto()
    WRITE_INTERACTIONS = auto()


@dataclass(frozen=True, slots=True)
class Policy:
    """How a vendor models people and lists, as data.

    `container` is the one place where everybody lives ("audience:ab12"); empty means that each list is a container of
    its own ("list:<uid>"). `fields` are sent, and none other; what is longer than `longest_field` is cut. `owners` says
    whose value of a field counts (L22): the engine fills it in from the tenant's choice, providers leave it alone.
    """

    container: str = ""
    batch_size: int = 500
    obeys_do_not_contact: bool = True
    fields: tuple[str, ...] = ("first_name", "last_name")
    longest_field: int = 255
    owners: Mapping[str, Owner] = field(default_factory=dict)

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
    """A vendor's message, as a hint: whom to look at, in which container, and what it was about.

    `container` is in the vendor's terms (an audience, say), which may be one that we do not use, or one that we call by
    the list that lives in it. `addresses` begins with the newest. `is_complaint`: they reported our mail as spam.
    """

    kind: str  # "look" (read the person and apply what the vendor says) or "ignore"
    container: str = ""
    addresses: tuple[str, ...] = ()
    remote_id: str = ""
    sentence: str = ""
    is_complaint: bool = False


@dataclass(frozen=True, slots=True)
class ListThere:
    """A list as the vendor shows it: ours, or one that staff made there. `members` is None where it is not told."""

    remote_id: str
    name: str
    members: int | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """The message by which staff ask a vendor for a key."""

    to: str
    copy_to: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the letter has to say and only the organization knows."""

    key: str
    label: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class SwitchKind:
    """Something that a connection does only while it is switched on (D4). `key` is kept in the database."""

    key: str
    label: str
    sentence: str  # what happens while it is on
    needs_code: bool = False  # one of the vendor's codes has to be chosen before, under which things are saved there


@dataclass(frozen=True, slots=True)
class Limits:
    """What a vendor allows one application key, over all connections that use it.

    `key` names that application key without showing it (a hash): who shares a key shares its limits.
    """

    per_second: float
    per_day: int  # from midnight to midnight, UTC
    key: str


class Provider:
    """A kind of service. Subclasses live in `integrations/providers/`, found by their `key`.

    An instance serves one connection, from one job or one request; use it in a `with`, or `close()` it, so that the
    lines it keeps open to the vendor are hung up.
    """

    key: ClassVar[str] = ""
    label: ClassVar[str] = ""
    blurb: ClassVar[str] = ""  # one sentence on the setup card
    can: ClassVar[frozenset[Can]] = frozenset()
    # Whether what is called for now is an opt-out or a single edit, which overtake bulk work where calls are counted;
    # the engine says so before it hands over a slice.
    is_urgent: bool = False
    archived_have_not_left: ClassVar[bool] = False  # `members_page` shows an opt-out of whoever is on no list, too
    look_size: ClassVar[int] = 1  # how many people `look_many` takes at once with advantage

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.settings: Mapping[str, Any] = connection.settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. Nothing to do for a provider that keeps no line open."""

    @property
    def secret(self) -> Mapping[str, Any]:
        """The stored credential. One that is missing or unreadable pauses the connection, like a revoked one."""
        try:
            return self.connection.credential.read()  # type: ignore[no-any-return]
        except Unreadable as problem:
            sentence = f"The stored key for {self.label} cannot be read. {problem} Connect again to store a new one."
        except ObjectDoesNotExist:
            sentence = f"No key for {self.label} is stored. Connect again."
        raise CallFailed(Reconnect(sentence))

    # --- pure ---
    @classmethod
    def policy(cls, settings: Mapping[str, Any]) -> Policy:
        """How people and lists are modelled there under these settings."""
        raise Unsupported

    @classmethod
    def is_set_up(cls, settings: Mapping[str, Any]) -> bool:
        """Whether these settings are complete enough to push."""
        raise Unsupported

    @classmethod
    def limits(cls, settings: Mapping[str, Any]) -> Limits | None:
        """How often this application key may call there, or None where each account has limits of its own."""
        return None

    # --- connecting ---
    @classmethod
    def is_available(cls) -> bool:
        """Whether this installation has what it takes to offer the provider (an application key, say)."""
        raise Unsupported

    @classmethod
    def authorize_url(cls, state: str, redirect_uri: str, code_challenge: str) -> str:
        """Where the person is sent to allow access. `code_challenge` (S256) is for vendors that know PKCE."""
        raise Unsupported

    @classmethod
    def account_from_code(cls, code: str, redirect_uri: str, code_verifier: str) -> Account:
        """Trade the code for a token and find out whose it is; `code_verifier` is what the challenge was made of.
        Raises `CallFailed`."""
        raise Unsupported

    def keep_alive(self) -> None:
        """Use a grant that would run out for want of use; called every night for those that were not used for a month.
        Raises `CallFailed`."""

    # --- a key that staff enter: `Can.KEY` ---
    key_questions: ClassVar[tuple[Question, ...]] = ()

    @classmethod
    def key_letter(cls, organization: str, given: Mapping[str, str]) -> Letter:
        """The message that asks the vendor for a key; `given` answers `key_questions`."""
        raise Unsupported

    @classmethod
    def account_from_key(cls, key: str, given: Mapping[str, str]) -> Account:
        """Try a key at the vendor, and say whose it is as far as can be told. Raises `CallFailed`."""
        raise Unsupported

    # --- what is done only while it is switched on (D4) ---
    switches: ClassVar[tuple[SwitchKind, ...]] = ()

    code_words: ClassVar[str] = "code"  # what the vendor calls such a code
    no_codes: ClassVar[str] = ""  # what staff can do at the vendor when there is none

    @classmethod
    def knows_gifts(cls, key: str, known: Mapping[str, date]) -> bool:
        """Whether this key opens the account from which these gifts came: {number there: day}. Raises `CallFailed`."""
        raise Unsupported

    def codes(self) -> list[tuple[str, str]]:
        """The vendor's codes, each with its words. Raises `CallFailed`."""
        raise Unsupported

    def switch_mark(self, kind: str) -> dict[str, Any]:
        """Where things stand there now, kept with the switch: what was before is not acted on. Raises `CallFailed`."""
        return {}

    # --- gifts: `Can.PULL_GIFTS`. All but `gifts_begin` raise `CallFailed` ---
    gift_switch: ClassVar[str] = ""  # the switch that has new gifts looked for

    @classmethod
    def gifts_begin(cls, kind: str, mark: Mapping[str, Any], reached: str, since: date | None) -> str:
        """The cursor with which a look of this kind begins: "new" (from what was `reached` on, with some of what came
        before once more), "changes" (what was made or changed on the day `since` or later) or "history" (what was there
        before the switch was turned on). `mark` is the switch's."""
        raise Unsupported

    def gifts_page(self, kind: str, cursor: str, mark: Mapping[str, Any]) -> GiftPage:
        """The rows from this cursor on, in one call; always in the same order."""
        raise Unsupported

    def gifts_present(self, gift_ids: Collection[str]) -> set[str]:
        """Which of these (500 at most) are still there, in one call."""
        raise Unsupported

    @classmethod
    def gifts_reached(cls, reached: str, cursor: str) -> str:
        """How far new gifts have been read after a page that ended at this cursor: never less than before."""
        raise Unsupported

    # --- interactions: `Can.WRITE_INTERACTIONS`. All but `person_id_of` raise `CallFailed` ---
    # {kind of event (sent, watched, replied): the switch that has it saved}
    interaction_switches: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def person_id_of(cls, text: str) -> str:
        """This custom user id, if it can be a person's id there; otherwise ""."""
        return text

    def find_interaction(self, one: Interaction) -> str:
        """Its id there if it was written already, or "". Nothing else is read (D13)."""
        raise Unsupported

    def save_interaction(self, one: Interaction) -> str:
        """Write it and return its id there. `Refused` with the code `person_gone` when there is no such person."""
        raise Unsupported

    # --- pushing: generators, so that the engine settles as answers come and may stop between two ---
    def carry_out(self, operations: Iterable[Operation], places: Places) -> Iterator[tuple[Operation, Outcome]]:
        """Send these operations, batched where the vendor can, and yield an outcome for each, in any order.

        A list without an id in `places` is ignored: it is gone there. Nothing is raised for what a call brings; every
        operation that was started gets its outcome. Once `Reconnect` was yielded the rest may be given the same
        outcome without a call. Closing the generator between two outcomes stops cleanly: no call is under way then.
        At most one batch, or the few calls that ran side by side, were made without their outcome being told;
        repeating them does no harm.

        What the vendor took in but has not done yet is `Ambiguous(…, after=…, is_underway=True, ticket=…)`: nobody's
        trouble. After that time the engine hands over the same operation with its `ticket`, to find out what became
        of it; if something else is wanted by then, it asks `look_many` first.
        """
        raise Unsupported

    def carry_out_list(self, operation: ListOperation) -> Outcome:
        """Create, rename or delete one list there; `Done.remote_id` is its id."""
        raise Unsupported

    def find_list(self, operation: ListOperation) -> str:
        """The id of a list of that name in that place, or "". Asked before a creation that may have happened."""
        raise Unsupported

    # --- hearing: `places` is needed wherever each list is a container of its own. All raise `CallFailed` ---
    def opt_outs_page(
        self, container: str, cursor: str, places: Places | None = None, since: datetime | None = None
    ) -> tuple[list[Member], str]:
        """Some of those who are unsubscribed or cleaned in this container now, and where the next call goes on: it gets
        that as its `cursor`, which is "" at the beginning and at the end.

        Who is archived may be among them: whether they had opted out before, `look` tells.

        With `since`, those who left before then may be passed over, where the vendor can tell; None asks for everybody.
        """
        raise Unsupported

    def opt_outs(self, container: str, places: Places | None = None, since: datetime | None = None) -> Iterator[Member]:
        """Everybody who is unsubscribed or cleaned in this container now."""
        cursor, is_done = "", False
        while not is_done:
            members, cursor = self.opt_outs_page(container, cursor, places, since)
            yield from members
            is_done = not cursor

    def members_page(self, container: str, cursor: str, places: Places | None = None) -> tuple[list[Member], str]:
        """Some of all who are in this container, of any standing, with those of our lists they are on (L31); paged like
        `opt_outs_page`. Whoever was deleted there may be missing. `Can.READ_MEMBERS`."""
        raise Unsupported

    def lists_there(self, place: str) -> list[ListThere]:
        """Every list in this place there, ours or not: "" or a container (L33). `Can.READ_MEMBERS`."""
        raise Unsupported

    def look(self, container: str, address: str, remote_id: str = "", places: Places | None = None) -> Member | None:
        """One person as they are there now, or None if there is nobody.

        `lists` is right only for lists in `places`; with a `remote_id` the person is found under a changed address.
        """
        raise Unsupported

    def look_many(
        self, container: str, people: Sequence[tuple[str, str]], places: Places | None = None,
        tickets: Collection[str] = (),
    ) -> list[Member | None]:  # fmt: skip
        """`look` for many people, each (address, remote_id) in this order; in few calls where the vendor can.

        `tickets` are of work there that these people were part of: while it is under way nobody can tell, so that
        `CallFailed` with the same `Ambiguous(is_underway=True)` is raised.
        """
        return [self.look(container, address, remote_id, places) for address, remote_id in people]

    def listen(self, url: str, places: Places | None = None) -> Mapping[str, Any]:
        """Have the vendor send its messages to this address; called after settings are saved, and when a list came or
        went. Repeating is harmless. Raises `CallFailed`.

        What comes back is to be merged into the stored credential (`{**credential.read(), **new}`): a vendor may show
        the secret that signs its messages once only, just here. Empty means that nothing changed.
        """
        raise Unsupported

    def stop_listening(self) -> None:
        """Have the vendor send nothing more to the address that `listen` gave it, before the grant is erased here."""

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
