"""Eyes inside the sandbox's process: every change of anybody's standing there, by whom, and the mail it sends out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from tests.fakes.mailchimp import webhooks
from tests.fakes.mailchimp.state import Audience, Member, Webhook
from tests.fakes.mailchimp.writing import Writer

EVENTS = {"subscribe": True, "unsubscribe": True, "profile": True, "cleaned": True, "upemail": True}
SOURCES = {"user": True, "admin": True, "api": False}


@dataclass(frozen=True)
class Step:
    """One change of a standing: `by` is api (that is us), admin or user."""

    by: str
    audience: str
    contact_id: str
    address: str
    before: str
    after: str
    own_word: bool  # whether they had unsubscribed by themselves
    ever_ours: bool  # whether we ever made them hear from this audience


@dataclass
class Watch:
    """What was seen so far."""

    steps: list[Step] = field(default_factory=list)
    mail: list[Any] = field(default_factory=list)
    brought: dict[str, str] = field(default_factory=dict)  # {contact_id: who made them hear from this audience}
    ever_ours: set[str] = field(default_factory=set)

    def note(self, writer: Writer, member: Member, before: str, after: str, own_word: bool) -> None:
        """Keep one change."""
        address, ours = member.email_address.lower(), member.contact_id in self.ever_ours
        self.steps.append(
            Step(writer.by, writer.audience.id, member.contact_id, address, before, after, own_word, ours)
        )
        if after in ("subscribed", "pending") and before != "pending":
            self.brought[member.contact_id] = writer.by
            if writer.by == "api":
                self.ever_ours.add(member.contact_id)

    def listen_to(self, audience: Audience) -> None:
        """Have this audience tell what happens there from its first moment on, whenever our own webhook is made."""
        audience.webhooks.setdefault("ours", Webhook("ours", "http://ours.test/", dict(EVENTS), dict(SOURCES)))


@contextmanager
def watching(sandbox: Any) -> Iterator[Watch]:
    """Watch this sandbox; nothing is mailed, it lies in `mail` until somebody takes it."""
    watch = Watch()
    entered, archive = Writer.entered, Writer.archive

    def see_entered(self: Writer, member: Member, status: str, before: str = "", **more: Any) -> None:
        own_word = member.unsubscribed_by == "contact"
        entered(self, member, status, before, **more)
        watch.note(self, member, before, status, own_word)

    def see_archive(self: Writer, member: Member) -> None:
        before = member.status
        archive(self, member)
        watch.note(self, member, before, "archived", member.unsubscribed_by == "contact")

    with (
        patch.object(Writer, "entered", see_entered),
        patch.object(Writer, "archive", see_archive),
        patch.object(sandbox.courier, "send", watch.mail.append),
        patch.object(webhooks, "call_receiver", lambda *_, **__: 200),
    ):
        yield watch
