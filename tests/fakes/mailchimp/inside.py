"""Everything the sandbox holds, as JSON for tests and demo scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.mailchimp.batch_work import Batch
from tests.fakes.mailchimp.shown import show_merge_field, show_webhook
from tests.fakes.mailchimp.state import Account, Audience, Member, address_id, iso

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox


def everything(sandbox: MailchimpSandbox, query: dict[str, str]) -> dict[str, Any]:
    """``account``, ``audience`` and ``email`` narrow it; ``members=0`` leaves people out."""
    wanted = query.get("account")
    chosen = [each for each in sandbox.accounts.values() if not wanted or each.login == wanted]
    accounts = {}
    for account in chosen:
        with account.lock:
            accounts[account.login] = show_account(account, query)
    return {"accounts": accounts}


def show_account(account: Account, query: dict[str, str]) -> dict[str, Any]:
    wanted = query.get("audience")
    batches: list[Batch] = list(account.batches.values())
    return {
        "login": account.login,
        "name": account.name,
        "dc": account.dc,
        "email": account.email,
        "max_instances": account.max_instances,
        "signed_webhooks": account.signed_webhooks,
        "disabled": account.disabled,
        "tokens": len(account.tokens),
        "batches": [{"id": each.id, "status": each.status, "errored": each.errored} for each in batches],
        "audiences": [
            show_audience(each, query)
            for each in account.audiences.values()
            if not wanted or wanted in (each.id, each.name)
        ],
    }


def show_audience(audience: Audience, query: dict[str, str]) -> dict[str, Any]:
    members = list(audience.members.values())
    if email := query.get("email"):
        members = [m for m in members if m.id == address_id(email)]
    if query.get("members") == "0":
        members = []
    webhooks = audience.webhooks.values()
    return {
        "id": audience.id,
        "name": audience.name,
        "member_count": len(audience.members),
        "merge_fields": [show_merge_field(audience, each) for each in audience.merge_fields.values()],
        "segments": [
            {"id": each.id, "name": each.name, "type": each.type, "members": len(each.contacts)}
            for each in audience.segments.values()
        ],
        "webhooks": [{**show_webhook(audience, each), "enabled": each.enabled} for each in webhooks],
        "forgotten": sorted(audience.forgotten),
        "members": [show_member(audience, each) for each in members],
    }


def show_member(audience: Audience, member: Member) -> dict[str, Any]:
    return {
        "email_address": member.email_address,
        "id": member.id,
        "contact_id": member.contact_id,
        "web_id": member.web_id,
        "unique_email_id": member.unique_email_id,
        "status": member.status,
        "merge_fields": member.merge_fields,
        "tags": [audience.segments[tag].name for tag in member.tags],
        "last_changed": iso(member.last_changed),
        "timestamp_opt": iso(member.timestamp_opt),
        "unsubscribed_by": member.unsubscribed_by,
        "unsubscribe_reason": member.unsubscribe_reason,
        "confirmations": member.confirmations,
        "source": member.source,
        "vip": member.vip,
        "language": member.language,
    }
