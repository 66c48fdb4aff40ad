"""The human pages: look at accounts, audiences and people, and act as a person or account holder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from tests.fakes import buttons
from tests.fakes import html as h
from tests.fakes.mailchimp import audience_page, member_page
from tests.fakes.mailchimp.oauth import NOTICE
from tests.fakes.mailchimp.shown import status_counts
from tests.fakes.mailchimp.state import Account
from tests.fakes.page_parts import calls_table, deliveries_table, said

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox


def respond(sandbox: MailchimpSandbox, request: Request) -> Response:
    pages = {"/": home, "/audience": audience_page.show, "/member": member_page.show}
    return buttons.respond(sandbox, request, pages, NOTICE)


def home(sandbox: MailchimpSandbox, request: Request) -> Response:
    accounts = Markup().join(account_card(each) for each in sandbox.accounts.values())
    return h.document(
        sandbox.title,
        NOTICE,
        Markup("<h1>Sandbox Mailchimp</h1>"),
        said(request),
        Markup('<div class="grid">{}</div>').format(accounts),
        h.card("Last webhook deliveries", deliveries_table(sandbox.courier.last(12))),
        h.card("Last calls", calls_table(sandbox.calls.last(20))),
    )


def account_card(account: Account) -> Markup:
    with account.lock:
        rows = []
        for each in account.audiences.values():
            counts = status_counts(each)
            name = h.link("/audience", each.name, account=account.login, id=each.id)
            rows.append((name, f"{sum(counts.values()):,}", f"{counts['subscribed']:,}"))
    apps = f"{len(account.tokens)} active" if account.tokens else "none"
    about = h.facts([
        ("Sign in as", Markup("<code>{}</code>, password <code>{}</code>").format(account.login, account.password)),
        ("Data centre", account.dc),
        ("Connected apps", apps),
        ("Audiences", f"{len(account.audiences)} of {account.max_instances} allowed by the plan"),
    ])  # fmt: skip
    revoke = h.button(
        "/act",
        "Remove connected apps",
        {"as": "holder", "action": "revoke", "account": account.login, "back": "/"},
        kind="grave",
    )
    table = h.table(("Audience", "Contacts", "Subscribed"), rows, "No audiences.")
    return h.card(account.name, about, Markup("<h3>Audiences</h3>"), table, revoke if account.tokens else "")
