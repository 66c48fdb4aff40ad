"""One account: the interactions that arrived, its donors, searchable and page by page, and a form for a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from tests.fakes import html as h
from tests.fakes.donor_perfect.state import Account
from tests.fakes.donor_perfect.values import write_date
from tests.fakes.page_parts import pager, said, search

if TYPE_CHECKING:
    from tests.fakes.donor_perfect.app import DonorPerfectSandbox

NOTICE = "Sandbox DonorPerfect – nothing here is e-mailed, and no money moves"
PER_PAGE = 50
DONORS = (
    "SELECT donor_id, first_name, last_name, email, org_rec, nomail, gifts, gift_total, last_contrib_date FROM dp "
    "WHERE ? = '' OR last_name LIKE ? OR first_name LIKE ? OR email LIKE ? OR donor_id = ? ORDER BY donor_id DESC"
)
INTERACTIONS = (
    "SELECT c.*, d.first_name, d.last_name FROM dpcontact c LEFT JOIN dp d ON d.donor_id = c.donor_id "
    "{} ORDER BY c.contact_id DESC LIMIT 25"
)


def show(sandbox: DonorPerfectSandbox, request: Request) -> Response:
    account = sandbox.accounts[request.args["account"]]
    with account.lock:
        acting = {"as": "holder", "account": account.login, "back": h.address("/account", account=account.login)}
        parts = [
            Markup("<p>{}</p><h1>{}</h1>").format(h.link("/", "← All accounts"), account.name),
            said(request),
            h.card("Interactions that arrived", interactions(account, account.rows(INTERACTIONS.format("")))),
            h.card("Donors", *donors(account, request)),
            h.card("Add a donor", adding(acting)),
        ]
    return h.document(f"{account.name} – {sandbox.title}", NOTICE, *parts)


def name_of(donor: dict[str, Any]) -> str:
    return f"{donor['first_name'] or ''} {donor['last_name'] or ''}".strip() or "(no name)"


def day(stored: str | None) -> Markup:
    return h.when(write_date(stored) if stored else "–")


def dollars(amount: float | None) -> str:
    return "–" if amount is None else f"{'-' * (amount < 0)}${abs(amount):,.2f}"


def interactions(account: Account, rows: list[dict[str, Any]]) -> Markup:
    words = {
        str(each["CODE"]).upper(): each["DESCRIPTION"]
        for each in account.rows("SELECT CODE, DESCRIPTION FROM dpcodes WHERE FIELD_NAME LIKE '%ACTIVITY%'")
    }
    lines = (
        (
            day(each["contact_date"]),
            h.link("/donor", name_of(each), account=account.login, id=each["donor_id"]),
            words.get(str(each["activity_code"] or "").upper(), each["activity_code"] or "–"),
            each["comment"] or "–",
            each["created_by"] or "–",
        )
        for each in rows
    )
    return h.table(("Date", "Donor", "Activity", "Comment", "Saved by"), lines, "None has arrived yet.")


def donors(account: Account, request: Request) -> list[Markup]:
    query = request.args.get("q", "").strip()
    sought = f"%{query}%"
    found = account.rows(DONORS, query, sought, sought, sought, query)
    place = {"account": account.login}
    moves, shown = pager(found, request, "/account", PER_PAGE, "donor", "donors", **place, q=query)
    rows = [
        (
            each["donor_id"],
            h.link("/donor", name_of(each), account=account.login, id=each["donor_id"]),
            each["email"] or "–",
            h.badge("do not mail", "bad") if each["nomail"] == "Y" else "–",
            f"{each['gifts'] or 0:,}",
            dollars(each["gift_total"]),
            day(each["last_contrib_date"]),
        )
        for each in shown
    ]
    headings = ("Donor ID", "Name", "E-mail", "Mail", "Gifts", "Given", "Last gift")
    return [search("/account", place, query, {}), h.table(headings, rows, "Nobody found."), moves]


def donor_fields(donor: dict[str, Any], prefix: str) -> list[Markup]:
    """The fields that staff fill in, with what stands in them."""
    texts = (
        ("first_name", "First name"), ("last_name", "Last name or organization"), ("email", "E-mail"),
        ("mobile_phone", "Mobile phone"),
    )  # fmt: skip
    fields = [h.entry(name, text, str(donor.get(name) or ""), field_id=f"{prefix}-{name}") for name, text in texts]
    yes = {"N": "No", "Y": "Yes"}
    return [
        *fields,
        h.choice("org_rec", "Organization", yes, str(donor.get("org_rec") or "N"), field_id=f"{prefix}-org"),
        h.choice("nomail", "Do not send mail", yes, str(donor.get("nomail") or "N"), field_id=f"{prefix}-nomail"),
    ]


def adding(acting: dict[str, str]) -> Markup:
    return h.form("/act", "Add", donor_fields({}, "new"), {**acting, "action": "add_donor"})
