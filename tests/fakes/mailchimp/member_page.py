"""One person in one audience, with buttons to act as that person or as the account holder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from tests.fakes import html as h
from tests.fakes.mailchimp.oauth import NOTICE
from tests.fakes.mailchimp.state import Audience, Member
from tests.fakes.page_parts import day, said

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox

LEFT_BY = {"": "–", "admin": "the account holder or an app", "contact": "this person",
           "bounce": "a bounce", "complaint": "an abuse complaint", "review": "a review"}  # fmt: skip


def show(sandbox: MailchimpSandbox, request: Request) -> Response:
    account = sandbox.accounts[request.args["account"]]
    with account.lock:
        audience = account.audiences[request.args["audience"]]
        member = audience.by_contact[request.args["contact"]]
        where = h.address("/audience", account=account.login, id=audience.id)
        back = h.address("/member", account=account.login, audience=audience.id, contact=member.contact_id)
        acting = {
            "account": account.login,
            "audience": audience.id,
            "email": member.email_address,
            "back": back,
        }
        parts = [
            Markup('<p><a href="{}">← {}</a></p><h1>{}</h1>').format(where, audience.name, member.email_address),
            said(request),
            h.card("", about(audience, member)),
            Markup('<div class="grid">{}{}</div>').format(
                h.card("Act as this person", *as_person(member, {**acting, "as": "person"})),
                h.card("Act as the account holder", *as_holder(member, {**acting, "as": "holder"}, where)),
            ),
        ]
    return h.document(f"{member.email_address} – Sandbox Mailchimp", NOTICE, *parts)


def about(audience: Audience, member: Member) -> Markup:
    values = [(tag, value) for tag, value in member.merge_fields.items() if value not in ("", None)]
    return h.facts([
        ("Status", h.badge(member.status)),
        ("Unsubscribed by", LEFT_BY[member.unsubscribed_by]),
        ("Tags", ", ".join(audience.segments[tag].name for tag in member.tags) or "–"),
        *[(tag, shown(value)) for tag, value in values],
        ("Opted in (UTC)", day(member.timestamp_opt)),
        ("Last changed (UTC)", day(member.last_changed)),
        ("Confirmation mails", f"{member.confirmations} (not really sent)"),
        ("Contact ID", Markup("<code>{}</code>").format(member.contact_id)),
        ("Member ID", Markup("<code>{}</code>").format(member.id)),
    ])  # fmt: skip


def shown(value: Any) -> str:
    return ", ".join(filter(None, value.values())) if isinstance(value, dict) else str(value)


def as_person(member: Member, acting: dict[str, Any]) -> list[Markup]:
    parts: list[Markup] = []

    def offer(action: str, text: str, kind: str = "quiet") -> None:
        parts.append(h.button("/act", text, {**acting, "action": action}, kind))

    if member.status in ("subscribed", "pending", "transactional"):
        offer("unsubscribe", "Unsubscribe")
    if member.status == "pending":
        offer("confirm", "Confirm the subscription")
    if member.status != "subscribed":
        offer("resubscribe", "Sign up again on the form")
    if member.status == "subscribed":
        offer("complain", "Report as spam", "grave")
        new = h.entry("new_email", "New address", kind="email")
        parts.append(h.form("/act", "Change address", [new], {**acting, "action": "change_address"}))
    return parts


def as_holder(member: Member, acting: dict[str, Any], where: str) -> list[Markup]:
    parts: list[Markup] = []

    def offer(action: str, text: str) -> None:
        parts.append(h.button("/act", text, {**acting, "action": action}))

    if member.status == "subscribed":
        offer("unsubscribe", "Unsubscribe")
        offer("clean", "Mark as bounced")
    if member.status in ("subscribed", "unsubscribed", "transactional"):
        offer("archive", "Archive")
    parts.append(h.form("/act", "Add tag", [h.entry("tag", "Tag")], {**acting, "action": "add_tag"}))
    erase = {**acting, "action": "delete_permanent", "back": where}
    parts.append(
        h.guarded("Delete permanently: cannot be undone", h.button("/act", "Delete permanently", erase, "grave"))
    )
    return parts
