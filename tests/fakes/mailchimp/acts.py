"""What people and account holders do in the vendor's own pages, for scripts and for the page's buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.fakes.mailchimp.errors import Problem, not_found
from tests.fakes.mailchimp.segments import check_name
from tests.fakes.mailchimp.state import Account, Audience, Member, Segment, address_id
from tests.fakes.mailchimp.writing import Writer, find_tag

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox

SWITCHES = ("max_instances", "plan", "signed_webhooks", "disabled")


def perform(sandbox: MailchimpSandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """Do one act; ValueError tells a script what it got wrong."""
    role, action = wish.get("as"), wish.get("action")
    if (handler := ACTS.get((str(role), str(action)))) is None:
        raise ValueError(f"No such act. Known: {', '.join(f'{r}/{a}' for r, a in ACTS)}")
    if (account := sandbox.accounts.get(str(wish.get("account")))) is None:
        raise ValueError(f"No such account. Known: {', '.join(sandbox.accounts)}")
    with account.lock:
        try:
            result = handler(Act(sandbox, account, wish)) or {}
        except Problem as problem:
            more = "; ".join(each["message"] for each in problem.errors or [])
            raise ValueError(f"{problem.detail} {more}".strip()) from None
    sandbox.account_changed(account)
    return result


class Act:
    """One act on its way: who, where, on whom."""

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
            sandbox.options,
            sandbox.telling(account),
            int(sandbox.now()),
            by=by,
            ip="203.0.113.7",
            skip_required=True,
        )


# -- as the person ------------------------------------------------------------------------------


def leave(act: Act) -> None:
    member = act.member
    if member.status not in ("subscribed", "pending", "transactional"):
        raise ValueError(f"{act.email} is {member.status} already.")
    member.unsubscribed_by = "contact"
    member.unsubscribe_reason = str(act.wish.get("reason") or "NORMAL")
    act.write.change(member, {}, "unsubscribed")


def confirm(act: Act) -> None:
    member = act.member
    if member.status != "pending":
        raise ValueError(f"{act.email} has no confirmation waiting.")
    member.unsubscribed_by = ""
    act.write.change(member, {}, "subscribed")


def change_address(act: Act) -> None:
    act.write.change(act.member, {"email_address": str(act.wish["new_email"]).strip()}, None)


def update_profile(act: Act) -> None:
    act.write.change(act.member, {"merge_fields": act.wish.get("merge_fields", {})}, None)


def sign_up(act: Act) -> None:
    """The vendor's hosted form: the one way back for whoever left, bounced or was erased."""
    write, audience = act.write, act.audience
    status = "pending" if audience.settings["double_optin"] else "subscribed"
    row = {"merge_fields": act.wish.get("merge_fields", {})}
    if member := audience.members.get(address_id(act.email)):
        if status == "subscribed":
            member.unsubscribed_by = ""
        write.change(member, row, status, revive=True)
    else:
        write.create(act.email, row, status)
    audience.forgotten.discard(address_id(act.email))


def complain(act: Act) -> None:
    """An abuse report: shown as cleaned, or as unsubscribed with ``shown_as``."""
    member = act.member
    member.unsubscribed_by, member.unsubscribe_reason = "complaint", "Abuse complaint"
    act.write.change(member, {}, str(act.wish.get("shown_as") or "cleaned"))


# -- as the account holder ------------------------------------------------------------------------


def revoke(act: Act) -> None:
    """Remove the authorized app; with ``keys`` the API key as well."""
    act.account.tokens.clear()
    if act.wish.get("keys"):
        act.account.api_key = ""
    act.sandbox.reindex()


def set_account(act: Act) -> None:
    for name in SWITCHES:
        if name in act.wish:
            setattr(act.account, name, act.wish[name])


def mark_busy(act: Act) -> None:
    act.account.busy.add(act.email.lower())


def add_member(act: Act) -> None:
    row = {"merge_fields": act.wish.get("merge_fields", {}), "tags": act.wish.get("tags", [])}
    if address_id(act.email) in act.audience.members:
        raise ValueError(f"{act.email} is in this audience already.")
    act.write.create(act.email, row, str(act.wish.get("status") or "subscribed"))


def add_crowd(act: Act) -> dict[str, Any]:
    """Many outside members at once."""
    write, prefix = act.write, str(act.wish.get("prefix") or "crowd")
    first = len(act.audience.members)
    for number in range(first, first + int(act.wish.get("count", 100))):
        write.create(f"{prefix}{number}@crowdmail.test", {"merge_fields": {"FNAME": f"N{number}"}}, "subscribed")
    return {"members": len(act.audience.members)}


def archive(act: Act) -> None:
    act.write.archive(act.member)


def erase(act: Act) -> None:
    act.write.erase(act.member)


def unsubscribe(act: Act) -> None:
    act.write.change(act.member, {}, "unsubscribed")


def clean(act: Act) -> None:
    member = act.member
    if act.wish.get("reason") == "abuse":
        member.unsubscribed_by = "complaint"
    act.write.change(member, {}, "cleaned")


def add_tag(act: Act) -> None:
    act.write.tag(act.member, [str(act.wish["tag"])])


def remove_tag(act: Act) -> None:
    act.write.take_off(act.member, act.tag.id)


def rename_tag(act: Act) -> None:
    tag, name = act.tag, str(act.wish["new_name"]).strip()
    if name.lower() != tag.name.lower():
        check_name(act.audience, name)
    tag.name = name
    act.audience.version += 1


def delete_tag(act: Act) -> None:
    audience, tag, write = act.audience, act.tag, act.write
    for contact in list(tag.contacts):
        write.take_off(audience.by_contact[contact], tag.id)
    del audience.segments[tag.id]
    audience.version += 1


def delete_audience(act: Act) -> None:
    del act.account.audiences[act.audience.id]


def rename_audience(act: Act) -> None:
    act.audience.settings["name"] = str(act.wish["new_name"]).strip()


def set_audience(act: Act) -> None:
    """Switch double opt-in."""
    act.audience.settings["double_optin"] = bool(act.wish.get("double_optin"))


def require_field(act: Act) -> None:
    """Make a merge field required, or not."""
    fields = act.audience.merge_fields.values()
    field = next((each for each in fields if each.tag == act.wish.get("tag")), None)
    if field is None:
        raise not_found()
    field.required = bool(act.wish.get("required", True))


ACTS: dict[tuple[str, str], Callable[[Act], dict[str, Any] | None]] = {
    ("person", "unsubscribe"): leave,
    ("person", "confirm"): confirm,
    ("person", "change_address"): change_address,
    ("person", "update_profile"): update_profile,
    ("person", "resubscribe"): sign_up,
    ("person", "sign_up"): sign_up,
    ("person", "complain"): complain,
    ("holder", "revoke"): revoke,
    ("holder", "set_account"): set_account,
    ("holder", "mark_busy"): mark_busy,
    ("holder", "add_member"): add_member,
    ("holder", "add_crowd"): add_crowd,
    ("holder", "archive"): archive,
    ("holder", "delete_permanent"): erase,
    ("holder", "unsubscribe"): unsubscribe,
    ("holder", "clean"): clean,
    ("holder", "add_tag"): add_tag,
    ("holder", "remove_tag"): remove_tag,
    ("holder", "rename_tag"): rename_tag,
    ("holder", "delete_tag"): delete_tag,
    ("holder", "delete_audience"): delete_audience,
    ("holder", "rename_audience"): rename_audience,
    ("holder", "set_audience"): set_audience,
    ("holder", "require_field"): require_field,
}
