"""Everything the sandbox holds, as JSON for tests and demo scripts. The key is shown as the vendor would mail it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.donor_perfect.keys import issued
from tests.fakes.donor_perfect.state import Account

if TYPE_CHECKING:
    from tests.fakes.donor_perfect.app import DonorPerfectSandbox


def everything(sandbox: DonorPerfectSandbox, query: dict[str, str]) -> dict[str, Any]:
    """``account`` and ``email`` narrow it; ``members=0`` leaves donors and gifts out, ``donor`` names one."""
    wanted = query.get("account")
    accounts = {}
    for account in sandbox.accounts.values():
        if wanted in (None, "", account.login):
            with account.lock:
                accounts[account.login] = show_account(account, query)
    return {"accounts": accounts}


def show_account(account: Account, query: dict[str, str]) -> dict[str, Any]:
    where: str = "1 = 1"
    values: list[object] = []
    if email := query.get("email"):
        where, values = "donor_id IN (SELECT donor_id FROM dp WHERE email = ?)", [email]
    elif donor := query.get("donor"):
        where, values = "donor_id = ?", [int(donor)]
    shown: dict[str, Any] = {
        "login": account.login,
        "name": account.name,
        "client_id": account.client_id,
        "api_key": issued(account.key),
        "is_revoked": account.is_revoked,
        "fixtures": account.fixtures,
        "counts": {table: account.count(table) for table in ("dp", "dpgift", "dpcontact")},
        "interactions": account.rows("SELECT * FROM dpcontact ORDER BY contact_id"),
    }
    if query.get("members") != "0":
        shown["donors"] = account.rows(f"SELECT * FROM dp WHERE {where} ORDER BY donor_id", *values)
        shown["gifts"] = account.rows(f"SELECT * FROM dpgift WHERE {where} ORDER BY gift_id", *values)
    return shown
