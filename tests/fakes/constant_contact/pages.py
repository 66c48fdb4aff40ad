"""The pages for people: look at accounts, lists and contacts, and act as a person or account holder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from tests.fakes import buttons
from tests.fakes import html as h
from tests.fakes.constant_contact import account_page, contact_page
from tests.fakes.constant_contact.lists import living
from tests.fakes.constant_contact.oauth import NOTICE
from tests.fakes.constant_contact.shown import statuses
from tests.fakes.constant_contact.state import Account
from tests.fakes.page_parts import calls_table, said

if TYPE_CHECKING:
    from tests.fakes.constant_contact.app import ConstantContactSandbox


def respond(sandbox: ConstantContactSandbox, request: Request) -> Response:
    pages = {"/": home, "/account": account_page.show, "/contact": contact_page.show}
    return buttons.respond(sandbox, request, pages, NOTICE)


def home(sandbox: ConstantContactSandbox, request: Request) -> Response:
    accounts = Markup().join(account_card(each) for each in sandbox.accounts.values())
    return h.document(
        sandbox.title,
        NOTICE,
        Markup("<h1>Sandbox Constant Contact</h1>"),
        said(request),
        h.card("Calls today", quota(sandbox)),
        Markup('<div class="grid">{}</div>').format(accounts),
        h.card("Last calls", calls_table(sandbox.calls.last(20))),
    )


def quota(sandbox: ConstantContactSandbox) -> Markup:
    """Every application has one allowance for all the accounts that it is connected to."""
    most, lines = sandbox.options.per_day, []
    for number, client_id in enumerate(sandbox.oauth.apps):
        used = sandbox.quota.used_today(client_id, sandbox.now())
        if used or not number:
            text = f"{used:,} of {most:,} used" if most else f"{used:,} used; the limit is switched off"
            lines.append((Markup("<code>{}</code>").format(client_id), Markup("<strong>{}</strong>").format(text)))
    note = "All accounts that an app is connected to share its calls; they start again at 00:00 UTC."
    return Markup('{}<p class="soft">{}</p>').format(h.facts(lines), note)


def account_card(account: Account) -> Markup:
    with account.lock:
        counts = statuses(account)
        rows = [
            ("Sign in as", Markup("<code>{}</code>, password <code>{}</code>").format(account.login, account.password)),
            ("Account ID", Markup("<code>{}</code>").format(account.encoded_account_id)),
            ("Connected apps", len(account.grants) or "none"),
            ("Lists", f"{len(living(account)):,}"),
            ("Contacts", f"{sum(counts.values()) - counts['deleted']:,}"),
            ("Unsubscribed", f"{counts['unsubscribed']:,}"),
        ]
    look = Markup("<p>{}</p>").format(h.link("/account", "Lists and contacts", account=account.login))
    wish = {"as": "holder", "action": "revoke", "account": account.login, "back": "/"}
    revoke = h.button("/act", "Remove connected apps", wish, kind="grave")
    return h.card(account.name, h.facts(rows), look, form_calls(account), revoke if account.grants else "")


def form_calls(account: Account) -> Markup:
    """A sync must never call sign_up_form: say so, loudly, when one did."""
    if not account.sign_ups:
        return Markup()
    text = f"An app called sign_up_form {len(account.sign_ups):,} times: it opts people in."
    return Markup('<p class="said error" role="alert">{}</p>').format(text)
