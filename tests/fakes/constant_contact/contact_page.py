"""One contact, with buttons to act as that person or as the account holder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from tests.fakes import html as h
from tests.fakes.constant_contact import activity_work
from tests.fakes.constant_contact.account_page import badge_of
from tests.fakes.constant_contact.lists import living
from tests.fakes.constant_contact.oauth import NOTICE
from tests.fakes.constant_contact.state import Account, Contact
from tests.fakes.page_parts import day, said

if TYPE_CHECKING:
    from tests.fakes.constant_contact.app import ConstantContactSandbox

LEFT_BY = {"Contact": "this person", "Account": "the account holder or an app"}


def show(sandbox: ConstantContactSandbox, request: Request) -> Response:
    account = sandbox.accounts[request.args["account"]]
    with account.lock:
        activity_work.advance(account, sandbox.now(), sandbox.options)
        contact = account.by_id[request.args["id"]]
        where = h.address("/account", account=account.login)
        back = h.address("/contact", account=account.login, id=contact.contact_id)
        acting = {"account": account.login, "email": contact.address, "back": back}
        heading = Markup('<p><a href="{}">← {}</a></p><h1>{}</h1>')
        parts = [
            heading.format(where, account.name, contact.address or "(no address)"),
            said(request),
            h.card("", about(account, contact)),
            Markup('<div class="grid">{}{}</div>').format(
                h.card("Act as this person", *as_person(account, contact, {**acting, "as": "person"})),
                h.card("Act as the account holder", *as_holder(account, contact, {**acting, "as": "holder"})),
            ),
        ]
    return h.document(f"{contact.address} – {sandbox.title}", NOTICE, *parts)


def about(account: Account, contact: Contact) -> Markup:
    left = contact.opt_out_source and contact.permission == "unsubscribed"
    return h.facts([
        ("Status", h.badge(contact.status.replace("_", " "), badge_of(contact))),
        ("Permission to send", contact.permission.replace("_", " ")),
        ("Unsubscribed by", f"{LEFT_BY[contact.opt_out_source]}, {day(int(contact.opt_out_date))}" if left else "–"),
        ("Reason", contact.opt_out_reason or "–"),
        ("Lists", ", ".join(account.lists[each].name for each in contact.lists) or "none: is not mailed"),
        *[(name.replace("_", " ").capitalize(), value) for name, value in contact.core.items() if value],
        ("Created (UTC)", day(int(contact.created_at))),
        ("Contact changed (UTC)", day(int(contact.updated_at))),
        ("Address changed (UTC)", day(int(contact.email_updated_at))),
        ("Deleted (UTC)", day(int(contact.deleted_at))),
        ("Confirmation mails", f"{contact.confirmations} (not really sent)"),
        ("Contact ID", Markup("<code>{}</code>").format(contact.contact_id)),
    ])  # fmt: skip


def names(contact: Contact, role: str) -> list[Markup]:
    return [
        h.entry(name, text, str(contact.core.get(name) or ""), field_id=f"{role}-{name}")
        for name, text in (("first_name", "First name"), ("last_name", "Last name"))
    ]


def as_person(account: Account, contact: Contact, acting: dict[str, Any]) -> list[Markup]:
    parts: list[Markup] = []

    def offer(action: str, text: str) -> None:
        parts.append(h.button("/act", text, {**acting, "action": action}))

    if contact.permission != "unsubscribed" and not contact.deleted_at:
        offer("unsubscribe", "Unsubscribe")
    if contact.confirm_status == "pending":
        offer("confirm", "Confirm")
    if contact.status != "active":
        choices = {each.list_id: each.name for each in living(account)}
        to = h.choice("list", "List", choices, field_id="form-list")
        parts.append(h.form("/act", "Sign up again on the form", [to], {**acting, "action": "sign_up"}))
    else:
        new = h.entry("new_email", "New address", kind="email", field_id="person-new_email")
        parts.append(h.form("/act", "Change address", [new], {**acting, "action": "change_address"}))
        parts.append(h.form("/act", "Update profile", names(contact, "person"), {**acting, "action": "update_profile"}))
    return parts


def as_holder(account: Account, contact: Contact, acting: dict[str, Any]) -> list[Markup]:
    if contact.deleted_at:
        return [h.button("/act", "Bring back", {**acting, "action": "revive"})]
    parts: list[Markup] = []
    if contact.permission == "temp_hold":
        parts.append(h.button("/act", "End the hold", {**acting, "action": "release"}))
    elif contact.permission != "unsubscribed":
        parts.append(h.button("/act", "Unsubscribe", {**acting, "action": "unsubscribe"}))
        parts.append(h.button("/act", "Hold for a while", {**acting, "action": "hold"}))
    parts.append(h.form("/act", "Save names", names(contact, "holder"), {**acting, "action": "edit"}))
    new = h.entry("new_email", "New address", kind="email", field_id="holder-new_email")
    parts.append(h.form("/act", "Change address", [new], {**acting, "action": "change_address"}))
    for action, text, choices in (
        ("put_on_list", "Put on list", [each for each in living(account) if each.list_id not in contact.lists]),
        ("take_off_list", "Take off list", [each for each in living(account) if each.list_id in contact.lists]),
    ):
        if choices:
            named = {each.list_id: each.name for each in choices}
            field = h.choice("list", "List", named, field_id=action)
            parts.append(h.form("/act", text, [field], {**acting, "action": action}))
    parts.append(h.button("/act", "Delete", {**acting, "action": "delete"}, kind="grave"))
    return parts
