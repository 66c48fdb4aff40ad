"""One audience: its people (searchable, page by page), tags and webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from tests.fakes import html as h
from tests.fakes.mailchimp.oauth import NOTICE
from tests.fakes.mailchimp.shown import status_counts
from tests.fakes.mailchimp.state import Account, Audience, Member
from tests.fakes.mailchimp.transitions import STATUSES
from tests.fakes.page_parts import day, outcome, pager, said, search

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox

PER_PAGE = 50


def show(sandbox: MailchimpSandbox, request: Request) -> Response:
    account = sandbox.accounts[request.args["account"]]
    with account.lock:
        audience = account.audiences[request.args["id"]]
        who = {"account": account.login, "audience": audience.id}
        path = h.address("/audience", account=account.login, id=audience.id)
        acting = {**who, "back": path}
        parts = [
            Markup("<p>{}</p><h1>{}</h1>").format(h.link("/", f"← {account.name}"), audience.name),
            said(request),
            h.card("People", *people(account, audience, request)),
            Markup('<div class="grid">{}{}</div>').format(
                h.card("Tags", tags(audience, acting)),
                h.card("Add people", *adding(acting)),
            ),
            h.card("Webhooks", webhooks(sandbox, audience)),
            h.card("Audience", Markup('<p class="soft">ID <code>{}</code></p>').format(audience.id), deleting(who)),
        ]
    return h.document(f"{audience.name} – Sandbox Mailchimp", NOTICE, *parts)


def people(account: Account, audience: Audience, request: Request) -> list[Markup]:
    query, status = request.args.get("q", "").strip(), request.args.get("status", "")
    found = matching(audience, query.lower(), status)
    place = {"account": account.login, "id": audience.id}
    counts = status_counts(audience)
    choices = {"": "any"} | {each: f"{each} ({counts[each]:,})" for each in (*STATUSES, "archived")}
    moves, shown = pager(found, request, "/audience", PER_PAGE, "person", "people", **place, q=query, status=status)
    rows = [
        (
            h.link("/member", m.email_address, account=account.login, audience=audience.id, contact=m.contact_id),
            f"{m.merge_fields.get('FNAME', '')} {m.merge_fields.get('LNAME', '')}".strip() or "–",
            h.badge(m.status),
            ", ".join(audience.segments[tag].name for tag in m.tags) or "–",
            h.when(day(m.last_changed)),
        )
        for m in shown
    ]
    return [
        search("/audience", place, query, {"status": ("Status", choices, status)}),
        h.table(("Address", "Name", "Status", "Tags", "Last changed (UTC)"), rows, "Nobody found."),
        moves,
    ]


def matching(audience: Audience, query: str, status: str) -> list[Member]:
    found = list(audience.members.values())
    if status:
        found = [m for m in found if m.status == status]
    if query:
        found = [
            m
            for m in found
            if query in m.email_address.lower()
            or query in f"{m.merge_fields.get('FNAME', '')} {m.merge_fields.get('LNAME', '')}".lower()
        ]
    return found


def tags(audience: Audience, acting: dict[str, str]) -> Markup:
    rows = []
    for number, tag in audience.segments.items():
        if tag.type != "static":
            continue
        values = {**acting, "as": "holder", "tag": tag.name}
        field = h.entry("new_name", f"New name of “{tag.name}”", tag.name, field_id=f"tag-{number}")
        rename = h.form("/act", "Rename", [field], {**values, "action": "rename_tag"})
        remove = h.button("/act", "Delete", {**values, "action": "delete_tag"}, kind="grave")
        change = h.guarded("Change", Markup("{}{}").format(rename, remove), kind="")
        rows.append((tag.name, f"{len(tag.contacts):,}", change))
    return h.table(("Tag", "People", "Change"), rows, "No tags yet.")


def adding(acting: dict[str, str]) -> list[Markup]:
    address = h.entry("email", "Address", kind="email", field_id="add-email")
    form = h.entry("email", "Address", kind="email", field_id="form-email")
    return [
        Markup("<h3>As the account holder</h3>"),
        h.form("/act", "Add", [address], {**acting, "as": "holder", "action": "add_member"}),
        Markup("<h3>As a person, on the hosted sign-up form</h3>"),
        h.form("/act", "Sign up", [form], {**acting, "as": "person", "action": "sign_up"}),
        Markup('<p class="soft">The form also brings back people who left or were erased.</p>'),
    ]


def deleting(who: dict[str, str]) -> Markup:
    wish = {**who, "as": "holder", "action": "delete_audience"}
    return h.guarded("Delete this audience: cannot be undone", h.button("/act", "Delete", wish, "grave"))


def webhooks(sandbox: MailchimpSandbox, audience: Audience) -> Markup:
    log = sandbox.courier.last(500)
    rows = []
    for hook in audience.webhooks.values():
        latest = next((each for each in log if each.get("webhook") == hook.id), None)
        rows.append(
            (
                Markup("<code>{}</code>").format(hook.url),
                ", ".join(name for name, on in hook.events.items() if on) or "–",
                ", ".join(name for name, on in hook.sources.items() if on) or "–",
                "signed" if hook.signing_secret else "unsigned",
                "on" if hook.enabled else "switched off",
                outcome(latest["status"]) if latest else "–",
            )
        )
    return h.table(("Address", "Events", "Sources", "Signature", "State", "Last delivery"), rows, "No webhooks.")
