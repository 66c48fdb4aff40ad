"""What the sandbox holds: accounts, audiences, members and the rest. Times are whole epoch seconds."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

# Why the vendor refuses to subscribe someone again by API.
COMPLIANCE = frozenset({"contact", "bounce", "complaint", "review"})


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@lru_cache(maxsize=8192)
def address_id(email: str) -> str:
    """A member's id: the MD5 of the lower-cased address."""
    return md5(email.lower())


@lru_cache(maxsize=4096)
def iso(seconds: int) -> str:
    """The vendor's way to write a time; a missing one is the empty string."""
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else ""


@dataclass(slots=True)
class Member:
    """A contact of one audience."""

    email_address: str
    id: str
    unique_email_id: str
    contact_id: str
    web_id: int
    status: str
    email_type: str = "html"
    merge_fields: dict[str, Any] = field(default_factory=dict)
    tags: dict[int, int] = field(default_factory=dict)  # segment id -> when added
    language: str = ""
    vip: bool = False
    latitude: float = 0
    longitude: float = 0
    ip_signup: str = ""
    timestamp_signup: int = 0
    ip_opt: str = ""
    timestamp_opt: int = 0
    last_changed: int = 0
    source: str = "API - Generic"
    unsubscribed_by: str = ""  # "admin" or one of COMPLIANCE
    unsubscribe_reason: str = ""
    unsubscribed_at: int = 0
    confirmations: int = 0  # opt-in mails the vendor would have sent
    activity: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_in_compliance_state(self) -> bool:
        return self.unsubscribed_by in COMPLIANCE


@dataclass(slots=True)
class MergeField:
    """A column of an audience."""

    merge_id: int
    tag: str
    name: str
    type: str
    required: bool = False
    default_value: str = ""
    public: bool = False
    display_order: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    help_text: str = ""


@dataclass(slots=True)
class Segment:
    """A static segment, which is also a tag; or a saved one, which only keeps its conditions."""

    id: int
    name: str
    type: str
    created_at: int
    updated_at: int
    contacts: dict[str, int] = field(default_factory=dict)  # contact_id -> when added
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Webhook:
    """An address told about changes of one audience."""

    id: str
    url: str
    events: dict[str, bool]
    sources: dict[str, bool]
    signing_secret: str = ""
    enabled: bool = True


@dataclass(slots=True)
class Audience:
    """A list."""

    id: str
    web_id: int
    settings: dict[str, Any]  # name, contact, campaign_defaults ... as the vendor shows them
    date_created: int
    members: dict[str, Member] = field(default_factory=dict)  # by md5
    by_contact: dict[str, Member] = field(default_factory=dict)
    merge_fields: dict[int, MergeField] = field(default_factory=dict)
    segments: dict[int, Segment] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)  # md5 of permanently deleted addresses
    serial: int = 0  # contacts ever made, for ids
    version: int = 0  # moves with every write; caches compare it
    found: dict[Any, Any] = field(default_factory=dict)  # cached answers of this version
    found_version: int = -1

    @property
    def name(self) -> str:
        return str(self.settings["name"])

    def add(self, member: Member) -> None:
        self.members[member.id] = member
        self.by_contact[member.contact_id] = member

    def remove(self, member: Member) -> None:
        del self.members[member.id]
        del self.by_contact[member.contact_id]
        for tag in member.tags:
            self.segments[tag].contacts.pop(member.contact_id, None)

    def cached(self, key: Any, make: Any) -> Any:
        """``make()`` once per version of this audience."""
        if self.found_version != self.version or len(self.found) > 64:
            self.found, self.found_version = {}, self.version
        if key not in self.found:
            self.found[key] = make()
        return self.found[key]


@dataclass
class Account:
    """A customer of the vendor."""

    login: str
    password: str
    dc: str
    name: str
    email: str
    contact: dict[str, str]
    api_key: str
    account_id: str
    user_id: int
    max_instances: int = 5
    plan: str = "monthly"
    signed_webhooks: bool = True
    disabled: bool = False
    tokens: dict[str, int] = field(default_factory=dict)  # access token -> when granted
    audiences: dict[str, Audience] = field(default_factory=dict)
    batches: dict[str, Any] = field(default_factory=dict)
    batch_webhooks: dict[str, dict[str, Any]] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)  # addresses that "signed up to a lot of lists"
    serial: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def next_number(self) -> int:
        """Ids of one account never repeat, not even after something was deleted."""
        self.serial += 1
        return self.serial

    def next_id(self, kind: str) -> str:
        """Ten hex digits, the same in every run that starts from the seed."""
        return md5(f"{self.login}/{kind}/{self.next_number()}")[:10]
