"""Webhooks going out: which ones hear of an event, what the form says, and how it is signed."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from tests.fakes.delivery import Courier, Parcel
from tests.fakes.mailchimp.options import Options
from tests.fakes.mailchimp.state import Account, Audience, Member, Webhook

EVENTS = ("subscribe", "unsubscribe", "profile", "cleaned", "upemail", "campaign")
SOURCES = ("user", "admin", "api")


def signature(secret: str, body: bytes, at: int) -> str:
    """The value of ``X-Mailchimp-Signature``."""
    code = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={code}"


def form_pairs(prefix: str, value: Any) -> list[tuple[str, str]]:
    """Nested data as bracketed form names."""
    if isinstance(value, dict):
        return [pair for key, each in value.items() for pair in form_pairs(f"{prefix}[{key}]", each)]
    return [(prefix, str(value))]


@dataclass(slots=True)
class Telling:
    """Tells an account's webhooks what happened."""

    account: Account
    courier: Courier
    options: Options
    now: Callable[[], float]

    def member(self, kind: str, audience: Audience, member: Member, by: str) -> None:
        """`subscribe` and `profile`."""
        if audience.webhooks:
            self.fire(kind, audience, self.about(audience, member), by)

    def unsubscribe(
        self, audience: Audience, member: Member, by: str, *, action: str = "unsub", reason: str = "manual"
    ) -> None:
        if audience.webhooks:
            about = {"action": action, "reason": reason, **self.about(audience, member), "campaign_id": ""}
            self.fire("unsubscribe", audience, about, by)

    def cleaned(self, audience: Audience, member: Member, by: str, *, reason: str) -> None:
        about = {"list_id": audience.id, "campaign_id": "", "reason": reason, "email": member.email_address}
        self.fire("cleaned", audience, about, by)

    def moved(self, audience: Audience, member: Member, old: str, by: str) -> None:
        """A changed address. The old id is not part of it."""
        about = {
            "list_id": audience.id,
            "new_id": member.unique_email_id,
            "new_email": member.email_address,
            "old_email": old,
        }
        self.fire("upemail", audience, about, by)

    def about(self, audience: Audience, member: Member) -> dict[str, Any]:
        merges = {"EMAIL": member.email_address}
        merges |= {f.tag: member.merge_fields.get(f.tag, "") for f in audience.merge_fields.values()}
        return {
            "id": member.unique_email_id,
            "email": member.email_address,
            "email_type": member.email_type,
            "ip_opt": member.ip_opt,
            "ip_signup": member.ip_signup,
            "web_id": member.web_id,
            "merges": {**merges, "INTERESTS": ""},
            "list_id": audience.id,
        }

    def batch_done(self, batch_id: str) -> None:
        """Only data[id] is known for sure; a receiver reads the batch."""
        fired_at = datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%d %H:%M:%S")
        form = {"type": "batch_operation_completed", "fired_at": fired_at, "data[id]": batch_id}
        lines = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "MailChimp"}
        for hook in list(self.account.batch_webhooks.values()):
            if hook["enabled"]:
                about = {"account": self.account.login, "url": hook["url"], "type": form["type"]}
                pauses = self.options.webhook_retries_s
                self.courier.send(Parcel(hook["url"], urlencode(form).encode(), lambda _: lines, about, pauses))

    def fire(self, kind: str, audience: Audience, data: dict[str, Any], by: str) -> None:
        for hook in audience.webhooks.values():
            if hook.enabled and hook.events.get(kind) and hook.sources.get(by):
                self.post(hook, audience, kind, data)

    def post(self, hook: Webhook, audience: Audience, kind: str, data: dict[str, Any]) -> None:
        fired_at = datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%d %H:%M:%S")
        body = urlencode([("type", kind), ("fired_at", fired_at), *form_pairs("data", data)]).encode()

        def headers(sent: bytes) -> dict[str, str]:
            lines = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "MailChimp"}
            if hook.signing_secret:
                lines["X-Mailchimp-Signature"] = signature(hook.signing_secret, sent, int(time.time()))
            return lines

        def answered(status: int) -> None:
            if status == 410:
                hook.enabled = False

        about = {
            "account": self.account.login,
            "list_id": audience.id,
            "webhook": hook.id,
            "url": hook.url,
            "type": kind,
            "email": data.get("email") or data.get("new_email", ""),
        }
        self.courier.send(
            Parcel(
                hook.url,
                body,
                headers,
                about,
                self.options.webhook_retries_s,
                wanted=lambda: hook.enabled and hook.id in audience.webhooks,
                answered=answered,
            )
        )
