"""What the sandbox holds: accounts, contacts, lists, activities, grants. Times are epoch seconds, 0 for none."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

CORE = ("first_name", "last_name", "job_title", "company_name", "birthday_month", "birthday_day", "anniversary")
# Besides list_memberships, which every contact keeps by itself.
PARTS = ("custom_fields", "phone_numbers", "street_addresses", "taggings", "notes")
PERMISSIONS = ("explicit", "implicit", "not_set", "pending_confirmation", "temp_hold", "unsubscribed")
FAMILY = uuid.UUID("5b1d9f62-0f2c-4c1e-9d0a-3a1f5a8f7c11")
EASTERN = timezone(timedelta(hours=-5))


@lru_cache(maxsize=8192)
def iso(seconds: float) -> str:
    """A time as the vendor writes most: UTC, milliseconds, Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=8192)
def iso_eastern(seconds: float) -> str:
    """A time as it writes the others: with an offset."""
    return datetime.fromtimestamp(seconds, EASTERN).isoformat(timespec="seconds")


def fold(address: str) -> str:
    return address.strip().lower()


@dataclass(slots=True)
class Contact:
    """Somebody in one account, for good: even a deleted contact keeps id, address and opt-out."""

    contact_id: str
    position: int  # in the account's order, which cursors follow
    address: str = ""
    permission: str = "implicit"
    core: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, float] = field(default_factory=dict)  # list id -> when added
    parts: dict[str, list[Any]] = field(default_factory=dict)
    create_source: str = "Account"
    update_source: str = "Account"
    created_at: float = 0
    updated_at: float = 0
    email_created_at: float = 0
    email_updated_at: float = 0  # the second clock: an opt-out moves only this one
    opt_in_source: str = ""
    opt_in_date: float = 0
    opt_out_source: str = ""
    opt_out_date: float = 0
    opt_out_reason: str = ""
    confirm_status: str = "off"
    deleted_at: float = 0
    confirmations: int = 0  # mails asking for confirmation that the vendor would have sent
    was_resubscribed: bool = False  # the one resubscribe mail is spent

    @property
    def status(self) -> str:
        """As `status=` of a reading understands it."""
        if self.deleted_at:
            return "deleted"
        return "active" if self.permission in ("explicit", "implicit") else self.permission


@dataclass(slots=True)
class ContactList:
    """A list; a deleted one is still told by `status=deleted`."""

    list_id: str
    name: str
    description: str = ""
    favorite: bool = False
    created_at: float = 0
    updated_at: float = 0
    deleted_at: float = 0


@dataclass(slots=True)
class Activity:
    """Bulk work: what it is to do, how far it is, and counters without names."""

    activity_id: str
    kind: str
    created_at: float
    payload: dict[str, Any]
    state: str = "initialized"
    started_at: float = 0
    completed_at: float = 0
    counters: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Grant:
    """One connected app: its refresh token, and the access tokens made with it. Kept as digests."""

    client_id: str
    scopes: list[str]
    refresh: str = ""
    used_at: float = 0
    spent: list[str] = field(default_factory=list)
    access: dict[str, float] = field(default_factory=dict)  # digest -> when it ends


@dataclass
class Account:
    """A customer of the vendor."""

    login: str
    password: str
    name: str
    email: str
    encoded_account_id: str
    summary: dict[str, Any]
    privileges: list[str]
    confirmed_opt_in: bool = False
    contacts: list[Contact] = field(default_factory=list)
    lists: dict[str, ContactList] = field(default_factory=dict)
    custom_fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    activities: dict[str, Activity] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    sign_ups: list[dict[str, Any]] = field(default_factory=list)  # every sign_up_form an app called
    serial: int = 0
    version: int = 0  # moves with every write; caches compare it
    by_id: dict[str, Contact] = field(default_factory=dict)
    by_address: dict[str, Contact] = field(default_factory=dict)
    waiting: list[Activity] = field(default_factory=list)
    found: dict[Any, Any] = field(default_factory=dict)
    found_version: int = -1
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def next_id(self, kind: str) -> str:
        """A UUID, the same in every run that starts from the seed."""
        self.serial += 1
        return str(uuid.uuid5(FAMILY, f"{self.login}/{kind}/{self.serial}"))

    def add(self, contact: Contact) -> None:
        self.contacts.append(contact)
        self.index(contact)

    def index(self, contact: Contact) -> None:
        self.by_id[contact.contact_id] = contact
        if contact.address:
            self.by_address[fold(contact.address)] = contact

    def cached(self, key: Any, make: Callable[[], Any]) -> Any:
        """``make()`` once per version of this account."""
        if self.found_version != self.version:
            self.found, self.found_version = {}, self.version
        if key not in self.found:
            self.found[key] = make()
        return self.found[key]
