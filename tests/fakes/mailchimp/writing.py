"""Writes to one audience: creating, changing, archiving and erasing members.

Everything is checked before anything is touched, so a refused write leaves no trace.
The API endpoints, the bulk call and the acts of people and account holders all come here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.fakes.mailchimp import hooks, merge_values
from tests.fakes.mailchimp.errors import forgotten, looks_fake, refused, too_many_lists
from tests.fakes.mailchimp.options import Options
from tests.fakes.mailchimp.shapes import read_time
from tests.fakes.mailchimp.state import Member, address_id, md5
from tests.fakes.mailchimp.tagging import Tagger
from tests.fakes.mailchimp.transitions import check_address_change, check_archive, next_status, taken
from tests.fakes.values import is_address

ADMIN_REASON = "N/A (Unsubscribed by admin)"
SOURCES = {"api": "API - Generic", "admin": "Admin Add", "user": "Hosted Signup Form"}
PLAIN = ("email_type", "language", "vip", "ip_signup", "ip_opt")


@dataclass(slots=True)
class Writer(Tagger):
    """Who writes to which audience, and under which rules."""

    options: Options
    telling: hooks.Telling
    by: str = "api"  # api, admin or user: the `sources` of webhooks
    ip: str = ""
    skip_required: bool = False

    def create(self, email: str, row: dict[str, Any], status: str) -> Member:
        self.check_new(email)
        values = self.values(row, {})
        audience = self.audience
        audience.serial += 1
        member = Member(
            email_address=email,
            id=address_id(email),
            unique_email_id=self.unique_id(email),
            contact_id=md5(f"{audience.id}/{audience.serial}"),
            web_id=audience.web_id * 1000 + audience.serial,
            status=status,
            merge_fields=values,
            last_changed=self.now,
            source=SOURCES[self.by],
        )
        self.plain(member, row)
        self.entered(member, status)
        audience.add(member)
        audience.version += 1
        self.tag(member, row.get("tags"))
        self.tell(member, "", status, profile=True)
        return member

    def change(self, member: Member, row: dict[str, Any], status: str | None, *, revive: bool = False) -> None:
        """Change what the row names; ``last_changed`` moves only if something really did."""
        email = row.get("email_address") or member.email_address
        moving = email.lower() != member.email_address.lower()
        if moving:
            self.check_move(member, email)
        may = self.options.resubscribe_after_admin_unsubscribe
        before, after = member.status, next_status(member, status, admin_may_return=may)
        if before == "archived" and after in ("subscribed", "pending"):
            self.check_busy(email)
        values = self.values(row, member.merge_fields)

        changed = bool(values) or after != before or email != member.email_address
        member.merge_fields.update(values)
        profile = self.plain(member, row) or bool(values)
        if email != member.email_address:
            self.move(member, email)
        if after != before:
            member.status = after
            self.entered(member, after, before, renew=revive)
        if changed or profile:
            member.last_changed = self.now
            self.audience.version += 1
            self.tell(member, before, after, profile=profile or moving)
        self.tag(member, row.get("tags"))

    def archive(self, member: Member) -> None:
        check_archive(member)
        before, member.status = member.status, "archived"
        member.last_changed = self.now
        self.audience.version += 1
        if before in ("subscribed", "unsubscribed"):
            self.telling.unsubscribe(self.audience, member, self.by, action="delete")

    def erase(self, member: Member) -> None:
        """Delete permanently; the audience keeps only the address's hash, to refuse it later."""
        self.audience.forgotten.add(member.id)
        if member.status != "archived":
            self.telling.unsubscribe(self.audience, member, self.by, action="delete")
        self.audience.remove(member)
        self.audience.version += 1

    # -- checks -------------------------------------------------------------------------------

    def check_new(self, email: str) -> None:
        if not is_address(email):
            raise refused("Please provide a valid email address.")
        if email.rpartition("@")[2].lower() in self.options.fake_domains:
            raise looks_fake(email)
        if self.by != "user" and address_id(email) in self.audience.forgotten:
            raise forgotten(email)
        self.check_busy(email)

    def check_busy(self, email: str) -> None:
        """Known busy addresses, and any whose local part ends in "+busy", for scripts."""
        if email.lower() in self.account.busy or email.partition("@")[0].endswith("+busy"):
            raise too_many_lists(email)

    def check_move(self, member: Member, email: str) -> None:
        check_address_change(member)
        if other := self.audience.members.get(address_id(email)):
            raise taken(other)
        self.check_new(email)

    # -- small steps --------------------------------------------------------------------------

    def values(self, row: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
        return merge_values.read(
            self.audience,
            row.get("merge_fields"),
            stored,
            skip_required=self.skip_required,
            null_clears=self.options.null_clears_merge_value,
        )

    def unique_id(self, email: str) -> str:
        return md5(f"{self.audience.id}/{email.lower()}/unique")[:10]

    def plain(self, member: Member, row: dict[str, Any]) -> bool:
        """Take over the fields that need no rule; True when one differs."""
        changed = False
        new = {name: row[name] for name in PLAIN if name in row}
        for name in ("timestamp_signup", "timestamp_opt"):
            if name in row:
                new[name] = read_time(row[name]) or 0
        for name in ("latitude", "longitude"):
            if name in row.get("location", ()):
                new[name] = row["location"][name]
        for name, value in new.items():
            if getattr(member, name) != value:
                setattr(member, name, value)
                changed = True
        return changed

    def move(self, member: Member, email: str) -> None:
        """A new address: new id and unique id, everything else stays, contact_id above all."""
        old = member.email_address
        del self.audience.members[member.id]
        member.email_address, member.id = email, address_id(email)
        member.unique_email_id = self.unique_id(email)
        self.audience.members[member.id] = member
        if old.lower() != email.lower():
            self.telling.moved(self.audience, member, old, self.by)

    def entered(self, member: Member, status: str, before: str = "", *, renew: bool = False) -> None:
        """What the vendor notes down when a member reaches a status."""
        if status == "subscribed":
            if renew or not member.timestamp_opt:
                member.timestamp_opt, member.ip_opt = self.now, member.ip_opt or self.ip
            member.unsubscribed_by = member.unsubscribe_reason = ""
        elif status == "unsubscribed":
            member.unsubscribed_by = member.unsubscribed_by or "admin"
            member.unsubscribe_reason = member.unsubscribe_reason or ADMIN_REASON
            member.unsubscribed_at = self.now
            if before:
                member.activity.append(self.unsub_item(member))
        elif status == "cleaned":
            member.unsubscribed_by = "bounce" if not member.is_in_compliance_state else member.unsubscribed_by
        elif status == "pending":
            member.confirmations += 1

    def unsub_item(self, member: Member) -> dict[str, Any]:
        return {
            "activity_type": "unsub",
            "at": self.now,
            "is_admin_unsubscribed": self.by != "user",
            "unsubscribe_reason": member.unsubscribe_reason,
        }

    def tell(self, member: Member, before: str, after: str, *, profile: bool) -> None:
        """Fire the webhooks of a write."""
        telling, audience = self.telling, self.audience
        if not audience.webhooks:
            return
        if after != before and after == "subscribed":
            telling.member("subscribe", audience, member, self.by)
        elif after != before and after == "unsubscribed" and before:
            abuse = "abuse" if member.unsubscribed_by == "complaint" else "manual"
            telling.unsubscribe(audience, member, self.by, reason=abuse)
        elif after != before and after == "cleaned" and before:
            abuse = "abuse" if member.unsubscribed_by == "complaint" else "hard"
            telling.cleaned(audience, member, self.by, reason=abuse)
        if profile and (before or after == "subscribed"):
            telling.member("profile", audience, member, self.by)
