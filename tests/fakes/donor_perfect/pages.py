"""The pages for people: keys, donors, gifts, and the interactions that arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from tests.fakes import buttons
from tests.fakes import html as h
from tests.fakes.donor_perfect import account_page, donor_page
from tests.fakes.donor_perfect.account_page import NOTICE
from tests.fakes.donor_perfect.keys import issued
from tests.fakes.donor_perfect.state import Account
from tests.fakes.page_parts import calls_table, said

if TYPE_CHECKING:
    from tests.fakes.donor_perfect.app import DonorPerfectSandbox


def respond(sandbox: DonorPerfectSandbox, request: Request) -> Response:
    shown = {"/": home, "/account": account_page.show, "/donor": donor_page.show}
    return buttons.respond(sandbox, request, shown, NOTICE)


def home(sandbox: DonorPerfectSandbox, request: Request) -> Response:
    accounts = Markup().join(account_card(each) for each in sandbox.accounts.values())
    return h.document(
        sandbox.title,
        NOTICE,
        Markup("<h1>Sandbox DonorPerfect</h1>"),
        said(request),
        Markup('<div class="grid">{}</div>').format(accounts),
        h.card("Last calls", calls_table(sandbox.calls.last(20))),
    )


def account_card(account: Account) -> Markup:
    with account.lock:
        rows = [
            ("Client ID", Markup("<code>{}</code>").format(account.client_id)),
            ("API key", h.badge("revoked", "bad") if account.is_revoked else h.badge("in use", "ok")),
            ("Donors", f"{account.count('dp'):,}"),
            ("Gifts", f"{account.count('dpgift'):,}"),
            ("Interactions", f"{account.count('dpcontact'):,}"),
        ]
    note = "The real DonorPerfect mails the key to whoever asks for it. Copy all of it, signs of percent included:"
    key = Markup('<p class="soft">{}</p><p><code>{}</code></p>').format(note, issued(account.key))
    look = Markup("<p>{}</p>").format(h.link("/account", "Donors and interactions", account=account.login))
    acting = {"as": "holder", "account": account.login, "back": "/"}
    change = Markup("{}{}").format(
        h.button("/act", "Revoke it", {**acting, "action": "revoke_key"}, kind="grave"),
        h.button("/act", "Issue another one", {**acting, "action": "issue_key"}),
    )
    return h.card(account.name, h.facts(rows), look, key, h.guarded("Change the key", change, kind=""))
