"""One API call, whether it came over the wire or out of a batch, and how its parts are read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fakes.mailchimp.errors import GLOSSARY, invalid, invalid_all, not_found
from tests.fakes.mailchimp.shapes import Errors, Rule, read_time
from tests.fakes.mailchimp.state import Account, Audience, Member, address_id

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox


@dataclass(slots=True)
class Answer:
    """What an endpoint gives back. ``payload`` None is an empty 204."""

    payload: dict[str, Any] | None = None
    schema: str = "Root"  # for the Link header
    dashboard: int = 0  # web_id, for the Link header of members


@dataclass(slots=True)
class Call:
    """A request with its account already known."""

    sandbox: MailchimpSandbox
    account: Account
    method: str
    path: str
    query: dict[str, str]
    raw: bytes
    host_url: str
    ip: str = ""
    now: int = 0
    by: str = field(default="api")

    def body(self, rule: Rule) -> dict[str, Any]:
        """The JSON body, checked."""
        try:
            body = json.loads(self.raw) if self.raw.strip() else {}
        except ValueError:
            raise GLOSSARY["JSONParseException"] from None
        errors: Errors = []
        rule(body, "", errors)
        if errors:
            raise invalid_all(errors)
        return body

    def flag(self, name: str) -> bool:
        value = self.query.get(name, "").lower()
        if value not in ("", "true", "false", "1", "0"):
            raise invalid(name, "Schema describes boolean, string found instead")
        return value in ("true", "1")

    def number(self, name: str, default: int, most: int = 0) -> int:
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.isdecimal():
            raise invalid(name, "Schema describes integer, string found instead")
        if most and int(text) > most:
            raise invalid(name, f"Value is greater than the maximum of {most}")
        return int(text)

    def choice(self, name: str, *accepted: str) -> str:
        value = self.query.get(name, "")
        if value and value not in accepted:
            raise invalid(name, f"Data presented is not one of the accepted values: {', '.join(accepted)}.")
        return value

    def time(self, name: str) -> int | None:
        value = self.query.get(name, "")
        if not value:
            return None
        # A client that forgets to encode "+" sends a blank: the vendor calls that invalid, so do we.
        if (seconds := read_time(value)) is None or " " in value:
            raise invalid(name, "Data presented is not a valid date and time.")
        return seconds

    @contextlib.contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let other calls of this account in while waiting for someone else."""
        self.account.lock.release()
        try:
            yield
        finally:
            self.account.lock.acquire()

    def audience(self, list_id: str) -> Audience:
        if audience := self.account.audiences.get(list_id):
            return audience
        raise not_found()


def find_member(audience: Audience, key: str, *, hash_only: bool = False) -> Member | None:
    """A member by MD5, and where allowed by plain address or contact_id."""
    if member := audience.members.get(key.lower()):
        return member
    if hash_only:
        return None
    if "@" in key:
        return audience.members.get(address_id(key))
    return audience.by_contact.get(key)
