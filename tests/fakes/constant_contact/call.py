"""One API call with its account already known, and how its parts are read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes.constant_contact import shapes as s
from tests.fakes.constant_contact.errors import invalid, not_found, wrong_media
from tests.fakes.constant_contact.state import Account, Contact, ContactList, Grant
from tests.fakes.values import read_time

if TYPE_CHECKING:
    from tests.fakes.constant_contact.app import ConstantContactSandbox
    from tests.fakes.constant_contact.options import Options


@dataclass(slots=True)
class Answer:
    """What an endpoint gives back. ``payload`` None is an empty body."""

    payload: Any = None
    status: int = 200
    location: str = ""


@dataclass(slots=True)
class Call:
    """A request with its account already known."""

    sandbox: ConstantContactSandbox
    account: Account
    grant: Grant
    method: str
    path: str
    query: dict[str, str]
    raw: bytes
    media: str = ""
    now: float = 0

    @property
    def options(self) -> Options:
        return self.sandbox.options

    def body(self, rule: s.Rule) -> dict[str, Any]:
        """The JSON body, checked."""
        if self.media != "application/json":
            raise wrong_media()
        try:
            body = json.loads(self.raw)
        except ValueError:
            raise invalid("#: the payload is not valid JSON") from None
        s.check(rule, body, is_strict=self.options.refuse_unknown_keys)
        return dict(body)

    def knows(self, *names: str) -> None:
        """Refuse parameters that this address does not have."""
        if unknown := sorted(set(self.query) - set(names)):
            raise invalid(f"Unknown query parameter: {', '.join(unknown)}")

    def flag(self, name: str) -> bool:
        value = self.query.get(name, "false").lower()
        if value not in ("true", "false"):
            raise invalid(f"{name}: expected type: Boolean, found: String")
        return value == "true"

    def number(self, name: str, default: int, most: int) -> int:
        value = self.query.get(name, "")
        if not value:
            return default
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise invalid(f"{name}: must be between 1 and {most}")
        return int(value)

    def words(self, name: str, accepted: tuple[str, ...]) -> set[str]:
        """A comma list of known words."""
        words = {each.strip() for each in self.query.get(name, "").split(",") if each.strip()}
        if strange := sorted(words - set(accepted)):
            raise invalid(f"{name}: {', '.join(strange)} is not a valid enum value")
        return words

    def ids(self, name: str, most: int) -> set[str]:
        ids = {each.strip() for each in self.query.get(name, "").split(",") if each.strip()}
        if len(ids) > most:
            raise invalid(f"{name}: expected maximum item count: {most}, found: {len(ids)}")
        if strange := sorted(each for each in ids if not s.is_uuid(each)):
            raise invalid(f"{name}: [{strange[0]}] is not a valid UUID")
        return ids

    def time(self, name: str) -> float | None:
        value = self.query.get(name, "")
        if not value:
            return None
        # A client that forgets to encode "+" sends a blank.
        if (seconds := read_time(value)) is None or " " in value:
            raise invalid(f"{name}: [{value}] is not a valid ISO-8601 date")
        return seconds

    @contextlib.contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let other calls of this account in meanwhile."""
        self.account.lock.release()
        try:
            yield
        finally:
            self.account.lock.acquire()

    def contact(self, contact_id: str) -> Contact:
        """Deleted ones as well: they can be read and revived by id."""
        if not s.is_uuid(contact_id):
            raise not_found("contact_id is in an invalid format.")
        if contact := self.account.by_id.get(contact_id.lower()):
            return contact
        raise not_found(f"Contact {contact_id} was not found.")

    def list(self, list_id: str) -> ContactList:
        if not s.is_uuid(list_id):
            raise not_found("list_id is in an invalid format.")
        found = self.account.lists.get(list_id.lower())
        if found is None or found.deleted_at:
            raise not_found(f"List {list_id} was not found.")
        return found
