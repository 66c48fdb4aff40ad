"""One act of a person or an account holder: who, where, on whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.mailchimp.state import Account, Audience, Member, Segment, address_id
from tests.fakes.mailchimp.tagging import find_tag
from tests.fakes.mailchimp.writing import Writer

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox


class Act:
    """One act on its way; a wrong name anywhere in it is a ValueError."""

    def __init__(self, sandbox: MailchimpSandbox, account: Account, wish: dict[str, Any]) -> None:
        self.sandbox, self.account, self.wish = sandbox, account, wish

    @property
    def audience(self) -> Audience:
        """By id or by name; the first one when none is named."""
        wanted = self.wish.get("audience")
        for audience in self.account.audiences.values():
            if not wanted or wanted in (audience.id, audience.name):
                return audience
        raise ValueError("No such audience.")

    @property
    def email(self) -> str:
        return str(self.wish["email"]).strip()

    @property
    def member(self) -> Member:
        if member := self.audience.members.get(address_id(self.email)):
            return member
        raise ValueError(f"{self.email} is not in this audience.")

    @property
    def tag(self) -> Segment:
        if tag := find_tag(self.audience, str(self.wish["tag"])):
            return tag
        raise ValueError("No such tag.")

    @property
    def write(self) -> Writer:
        by = "user" if self.wish["as"] == "person" else "admin"
        sandbox, account = self.sandbox, self.account
        return Writer(
            account,
            self.audience,
            int(sandbox.now()),
            sandbox.options,
            sandbox.telling(account),
            by=by,
            ip="203.0.113.7",
            skip_required=True,
        )
