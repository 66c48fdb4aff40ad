"""One account: its lists, and its contacts, searchable and page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from tests.fakes import html as h
from tests.fakes.constant_contact import activity_work
from tests.fakes.constant_contact.contact_listing import STATUSES
from tests.fakes.constant_contact.lists import living
from tests.fakes.constant_contact.oauth import NOTICE
from tests.fakes.constant_contact.shown import members, statuses
from tests.fakes.constant_contact.state import Account, Contact
from tests.fakes.page_parts import clock, day, pager, said, search

if TYPE_CHECKING:
    from tests.fakes.constant_contact.app import ConstantContactSandbox

PER_PAGE = 50


def show(sandbox: ConstantContactSandbox, request: Request) -> Response:
    account = sandbox.accounts[request.args["account"]]
    with account.lock:
        activity_work.advance(account, sandbox.now(), sandbox.options)
        acting = {"account": account.login, "back": h.address("/account", account=account.login)}
        parts = [
            Markup("<p>{}</p><h1>{}</h1>").format(h.link("/", "← All accounts"), account.name),
            said(request),
            h.card("Contacts", *people(account, request)),
            h.card("Lists", lists(account, acting), *adding_list(acting)),
            h.card("Add people", *adding(account, acting)),
            h.card("Bulk activities", activities(account)),
        ]
    return h.document(f"{account.name} – {sandbox.title}", NOTICE, *parts)


def people(account: Account, request: Request) -> list[Markup]:
    query, status, on = (request.args.get(name, "").strip() for name in ("q", "status", "list"))
    found = matching(account, query.lower(), status, on)
    place = {"account": account.login}
    counts = statuses(account)
    choices = {"": "any"} | {each: f"{each.replace('_', ' ')} ({counts[each]:,})" for each in STATUSES if each != "all"}
    held = {"": "any"} | {each.list_id: each.name for each in living(account)}
    moves, shown = pager(found, request, "/account", PER_PAGE, "person", "people", **place, q=query, status=status,
                         list=on)  # fmt: skip
    rows = [
        (
            h.link("/contact", each.address or "(no address)", account=account.login, id=each.contact_id),
            name_of(each) or "–",
            h.badge(each.status.replace("_", " "), badge_of(each)),
            ", ".join(account.lists[number].name for number in each.lists) or "–",
            h.when(day(int(max(each.updated_at, each.email_updated_at)))),
        )
        for each in shown
    ]
    return [
        search("/account", place, query, {"status": ("Status", choices, status), "list": ("List", held, on)}),
        h.table(("Address", "Name", "Status", "Lists", "Last changed (UTC)"), rows, "Nobody found."),
        moves,
    ]


def name_of(contact: Contact) -> str:
    return f"{contact.core.get('first_name') or ''} {contact.core.get('last_name') or ''}".strip()


def badge_of(contact: Contact) -> str:
    return {"active": "ok", "unsubscribed": "bad", "deleted": "bad"}.get(contact.status, "soft")


def matching(account: Account, query: str, status: str, on: str) -> list[Contact]:
    return [
        each
        for each in account.contacts
        if (not status or each.status == status)
        and (not on or on in each.lists)
        and (not query or query in each.address.lower() or query in name_of(each).lower())
    ]


def lists(account: Account, acting: dict[str, str]) -> Markup:
    everybody, mailable = members(account, "all"), members(account, "active")
    rows = []
    for each in living(account):
        values = {**acting, "as": "holder", "list": each.list_id}
        field = h.entry("new_name", f"New name of “{each.name}”", each.name, field_id=f"list-{each.list_id}")
        rename = h.form("/act", "Rename", [field], {**values, "action": "rename_list"})
        remove = h.button("/act", "Delete", {**values, "action": "delete_list"}, kind="grave")
        name = h.link("/account", each.name, account=account.login, list=each.list_id)
        change = h.guarded("Change", Markup("{}{}").format(rename, remove), kind="")
        rows.append((name, f"{everybody[each.list_id]:,}", f"{mailable[each.list_id]:,}", change))
    return h.table(("List", "Contacts", "May be mailed", "Change"), rows, "No lists yet.")


def adding_list(acting: dict[str, str]) -> list[Markup]:
    name = h.entry("name", "Name of a new list", field_id="list-name")
    return [h.form("/act", "Create", [name], {**acting, "as": "holder", "action": "add_list"})]


def adding(account: Account, acting: dict[str, str]) -> list[Markup]:
    choices = {each.list_id: each.name for each in living(account)}
    address = h.entry("email", "Address", kind="email", field_id="add-email")
    form = h.entry("email", "Address", kind="email", field_id="form-email")
    add, sign_up = {"as": "holder", "action": "add_contact"}, {"as": "person", "action": "sign_up"}
    to = h.choice("list", "List", choices, field_id="add-list"), h.choice("list", "List", choices, field_id="form-list")
    return [
        Markup("<h3>As the account holder</h3>"),
        h.form("/act", "Add", [address, to[0]], {**acting, **add}),
        Markup("<h3>As a person, on the hosted sign-up form</h3>"),
        h.form("/act", "Sign up", [form, to[1]], {**acting, **sign_up}),
        Markup('<p class="soft">The form also brings back people who left or were deleted.</p>'),
    ]


def activities(account: Account) -> Markup:
    rows = (
        (clock(each.created_at), each.kind.replace("_", " "), each.state.replace("_", " "),
         ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in each.counters.items()) or "–")
        for each in list(account.activities.values())[:-13:-1]
    )  # fmt: skip
    return h.table(("Time (UTC)", "Kind", "State", "Counters"), rows, "No bulk activities yet.")
