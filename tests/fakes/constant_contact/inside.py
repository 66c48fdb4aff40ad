"""Everything the sandbox holds, as JSON for tests and demo scripts. Tokens are only counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.constant_contact import activity_work
from tests.fakes.constant_contact.shown import INCLUDES, members, show_activity, show_contact, show_list
from tests.fakes.constant_contact.state import Account, Contact, fold

if TYPE_CHECKING:
    from tests.fakes.constant_contact.app import ConstantContactSandbox


def everything(sandbox: ConstantContactSandbox, query: dict[str, str]) -> dict[str, Any]:
    """``account`` and ``email`` narrow it; ``members=0`` leaves people out."""
    wanted = query.get("account")
    accounts = {}
    for account in sandbox.accounts.values():
        if wanted in (None, "", account.login):
            with account.lock:
                activity_work.advance(account, sandbox.now(), sandbox.options)
                accounts[account.login] = show_account(account, query)
    used = {client: sandbox.quota.used_today(client, sandbox.now()) for client in sandbox.oauth.apps}
    return {"accounts": accounts, "calls_today": used}


def show_account(account: Account, query: dict[str, str]) -> dict[str, Any]:
    contacts = account.contacts
    if email := query.get("email"):
        contacts = [each for each in (account.by_address.get(fold(email)),) if each]
    if query.get("members") == "0":
        contacts = []
    counts = members(account, "all")
    return {
        "login": account.login,
        "name": account.name,
        "encoded_account_id": account.encoded_account_id,
        "privileges": account.privileges,
        "confirmed_opt_in": account.confirmed_opt_in,
        "grants": len(account.grants),
        "sign_ups": account.sign_ups,
        "contact_count": len(account.contacts),
        "lists": [show_list(each, counts[each.list_id]) for each in account.lists.values()],
        "activities": [{**show_activity(each), "kind": each.kind} for each in account.activities.values()],
        "contacts": [whole(each) for each in contacts],
    }


def whole(contact: Contact) -> dict[str, Any]:
    """All that is held, and what the API does not tell."""
    return {
        **show_contact(contact, INCLUDES),
        "status": contact.status,
        "confirmations": contact.confirmations,
        "was_resubscribed": contact.was_resubscribed,
    }
