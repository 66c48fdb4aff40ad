"""One donor: facts, gifts with what staff may do to them, and interactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from tests.fakes import html as h
from tests.fakes.donor_perfect.account_page import (
    INTERACTIONS,
    NOTICE,
    day,
    dollars,
    donor_fields,
    interactions,
    name_of,
)
from tests.fakes.donor_perfect.state import Account
from tests.fakes.page_parts import pager, said

if TYPE_CHECKING:
    from tests.fakes.donor_perfect.app import DonorPerfectSandbox

TYPES = {
    "G": "gift", "M": "split gift, whole", "P": "pledge", "S": "soft credit", "A": "adjusted", "H": "adjustment",
    "C": "result: nothing", "J": "result: nothing", "N": "tribute notice",
}  # fmt: skip
PER_PAGE = 25


def show(sandbox: DonorPerfectSandbox, request: Request) -> Response:
    account = sandbox.accounts[request.args["account"]]
    with account.lock:
        number = request.args.get("id", 0, type=int)
        donor = account.row("dp", number)
        back = h.address("/donor", account=account.login, id=number)
        acting = {"as": "holder", "account": account.login, "donor": number, "back": back}
        where = h.address("/account", account=account.login)
        arrived = account.rows(INTERACTIONS.format("WHERE c.donor_id = ?"), number)
        parts = [
            Markup('<p><a href="{}">← {}</a></p><h1>{}</h1>').format(where, account.name, name_of(donor)),
            said(request),
            h.card("", about(donor)),
            h.card("Interactions that arrived", interactions(account, arrived)),
            h.card("Gifts", *gifts(account, number, acting, request)),
            h.card("Add a gift", *adding(acting)),
            h.card("Change this donor", *changing(donor, acting)),
        ]
    return h.document(f"{name_of(donor)} – {sandbox.title}", NOTICE, *parts)


def about(donor: dict[str, Any]) -> Markup:
    return h.facts([
        ("Donor ID", donor["donor_id"]),
        ("E-mail", donor["email"] or "–"),
        ("Phone", donor["mobile_phone"] or donor["home_phone"] or donor["business_phone"] or "–"),
        ("Organization", f"yes {donor['opt_line'] or ''}" if donor["org_rec"] == "Y" else "no"),
        ("Do not send mail", h.badge("yes", "bad") if donor["nomail"] == "Y" else "no"),
        ("Gifts", f"{donor['gifts'] or 0:,}, {dollars(donor['gift_total'] or 0)} together"),
        ("Created", day(donor["created_date"])),
        ("Changed", day(donor["modified_date"])),
    ])  # fmt: skip


def gifts(account: Account, donor: int, acting: dict[str, Any], request: Request) -> list[Markup]:
    found = account.rows("SELECT * FROM dpgift WHERE donor_id = ? ORDER BY gift_id DESC", donor)
    place = {"account": account.login, "id": donor}
    moves, shown = pager(found, request, "/donor", PER_PAGE, "row", "rows", **place)
    rows = [
        (
            each["gift_id"],
            day(each["gift_date"]),
            dollars(each["total"] if each["record_type"] == "P" else each["amount"]),
            kind(each),
            each["gl_code"] or "–",
            each["gift_narrative"] or "–",
            change(each, acting),
        )
        for each in shown
    ]
    headings = ("Gift ID", "Date", "Amount", "Type", "Fund", "Comment", "Change")
    return [h.table(headings, rows, "No gifts yet."), moves]


def kind(gift: dict[str, Any]) -> str:
    """The record type in words, with what it hangs on."""
    text = f"{gift['record_type']}: {TYPES.get(gift['record_type'], 'unknown')}"
    if gift["split_gift"] == "Y":
        text = f"{gift['record_type']}: part of a split"
    if gift["pledge_payment"] == "Y":
        text += f", pays pledge {gift['plink']}"
    links = [f"{word} {gift[name]}" for name, word in (("glink", "of"), ("alink", "in place of")) if gift[name]]
    return ", ".join([text, *links])


def change(gift: dict[str, Any], acting: dict[str, Any]) -> Markup:
    number = gift["gift_id"]
    values = {**acting, "gift": number}
    parts = []
    if gift["record_type"] == "G":
        back = h.entry("amount", "Amount to give back", str(gift["amount"]), field_id=f"back-{number}")
        to = h.entry("amount", "New amount", str(gift["amount"]), field_id=f"to-{number}")
        parts += [
            h.form("/act", "Refund", [back], {**values, "action": "refund_gift"}),
            h.form("/act", "Adjust", [to], {**values, "action": "adjust_gift"}),
        ]
    if gift["record_type"] == "P":
        paid = h.entry("amount", "Payment", str(gift["bill"]), field_id=f"pay-{number}")
        parts.append(h.form("/act", "Pay", [paid], {**values, "action": "pay_pledge"}))
    if gift["record_type"] in ("G", "M"):
        amount = h.entry("amount", "Amount", str(gift["amount"]), field_id=f"amount-{number}")
        text = h.entry("gift_narrative", "Comment", gift["gift_narrative"] or "", field_id=f"comment-{number}")
        parts.append(h.form("/act", "Save", [amount, text], {**values, "action": "edit_gift"}))
    parts.append(h.button("/act", "Delete", {**values, "action": "delete_gift"}, kind="grave"))
    return h.guarded("Change", Markup().join(parts), kind="")


def adding(acting: dict[str, Any]) -> list[Markup]:
    def fields(prefix: str, *more: Markup) -> list[Markup]:
        return [
            h.entry("amount", "Amount", field_id=f"{prefix}-amount"),
            *more,
            h.entry("day", "Date (empty: today)", kind="date", field_id=f"{prefix}-day"),
        ]

    comment = h.entry("gift_narrative", "Comment", field_id="gift-comment")
    late = h.choice("late", "Number", {"": "the next one", "yes": "a lower one"}, field_id="gift-late")
    second = h.entry("amount_2", "Amount for a second fund", field_id="split-amount-2")
    return [
        h.form("/act", "Add gift", fields("gift", comment, late), {**acting, "action": "add_gift"}),
        Markup("<h3>Split between two funds</h3>"),
        h.form("/act", "Add split gift", fields("split", second), {**acting, "action": "split_gift"}),
        Markup("<h3>Pledge, in twelve payments</h3>"),
        h.form("/act", "Add pledge", fields("pledge"), {**acting, "action": "add_pledge"}),
    ]


def changing(donor: dict[str, Any], acting: dict[str, Any]) -> list[Markup]:
    into = h.entry("into", "Donor ID that remains", field_id="merge-into")
    merge = h.form("/act", "Merge", [into], {**acting, "action": "merge_donors", "back": back_to(acting)})
    remove = h.button("/act", "Delete with all gifts", {**acting, "action": "delete_donor", "back": back_to(acting)},
                      kind="grave")  # fmt: skip
    return [
        h.form("/act", "Save", donor_fields(donor, "donor"), {**acting, "action": "edit_donor"}),
        h.guarded("Merge into another donor, or delete", Markup("{}{}").format(merge, remove)),
    ]


def back_to(acting: dict[str, Any]) -> str:
    """This donor's page is about to be gone."""
    return h.address("/account", account=acting["account"])
