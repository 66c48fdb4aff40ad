"""The world at the start: two nonprofits with years of giving, and a row of each kind that readers stumble over."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.fakes.donor_perfect.deeds import Deeds
from tests.fakes.donor_perfect.keys import new_key
from tests.fakes.donor_perfect.options import Options
from tests.fakes.donor_perfect.persist import account_from_json, account_to_json
from tests.fakes.donor_perfect.state import Account

LONG_AGO = 1_783_684_800.0  # 2026-07-10, noon UTC
FIRST_DONOR, FIRST_GIFT = 146, 10_000
MONTHLY = (
    ("Marisol", "Vega", "marisol.vega@rivermail.test", 25), ("Tobias", "Lind", "tobias.lind@rivermail.test", 10),
    ("Amara", "Okafor", "amara.okafor@rivermail.test", 50), ("June", "Park", "june.park@rivermail.test", 15.5),
    ("Hugo", "Marchetti", "hugo.marchetti@rivermail.test", 30), ("Wei", "Zhang", "wei.zhang@rivermail.test", 20),
    ("Priya", "Nair", "priya.nair@rivermail.test", 12.25), ("Sam", "Whitlock", "sam.whitlock@rivermail.test", 40),
    ("Greta", "Olsen", "greta.olsen@rivermail.test", 5), ("Leo", "Tanaka", "leo.tanaka@rivermail.test", 100),
    ("Noor", "Haddad", "noor.haddad@rivermail.test", 35), ("Ivan", "Petrov", "ivan.petrov@rivermail.test", 8),
)  # fmt: skip
MONTHS = 42  # 504 gifts, more than one answer holds
CODES = (
    ("TE", "Telephone call"), ("EM", "E-mail"), ("TYV", "Thank-you video sent"), ("TVW", "Thank-you video watched"),
    ("TVR", "Reply to a thank-you video"),
)  # fmt: skip
FUNDS = (("UN", "Unrestricted"), ("SC", "Scholarships"), ("RV", "River clean-up"))


def seed(options: Options) -> dict[str, Account]:
    """Fresh accounts; the same numbers and keys every time, so that they are worked out once."""
    written = _first(options.activity_field, options.typed_dates_have_time)
    return {login: account_from_json(data) for login, data in written.items()}


@cache
def _first(activity_field: str, typed_dates_have_time: bool) -> dict[str, Any]:
    options = Options(activity_field=activity_field, typed_dates_have_time=typed_dates_have_time)
    return {login: account_to_json(held) for login, held in worked_out(options).items()}


def worked_out(options: Options) -> dict[str, Account]:
    river = account("river", "River Trust", "4711RT", options)
    fill(Deeds(river, LONG_AGO, options))
    harbor = account("harbor", "Harbor Food Bank", "2208HF", options)
    deeds = Deeds(harbor, LONG_AGO, options)
    # The same number as a donor of River Trust's: only the account tells them apart.
    neighbour = deeds.add_donor(first_name="Nadia", last_name="Brandt", email="nadia.brandt@harbormail.test")
    harbor.fixtures = {"neighbour": neighbour, "neighbours_gift": deeds.add_gift(neighbour, 75, "5/2/2026")}
    return {each.login: each for each in (river, harbor)}


def account(login: str, name: str, client_id: str, options: Options) -> Account:
    made = Account(login, name, client_id, new_key(login, 0), serials={"dp": FIRST_DONOR, "dpgift": FIRST_GIFT})
    deeds = Deeds(made, LONG_AGO, options)
    for code, description in CODES:
        deeds.add_code(options.activity_field, code, description)
    deeds.add_code(options.activity_field, "FAX", "Fax", inactive="Y")
    for code, description in FUNDS:
        deeds.add_code("GL_CODE", code, description)
    deeds.add_code("CAMPAIGN", "SPRING", "Spring appeal & walk")
    return made


def fill(deeds: Deeds) -> None:
    """River Trust. `fixtures` names the rows for tests."""
    named = deeds.account.fixtures
    regulars = [deeds.add_donor(first_name=first, last_name=last, email=email) for first, last, email, _ in MONTHLY]
    for month in range(MONTHS):
        for donor, (*_, amount) in zip(regulars, MONTHLY, strict=True):
            deeds.add_gift(donor, amount, f"{month % 12 + 1}/15/{2023 + month // 12}", gift_type="EFT")
    named |= people(deeds)
    named |= gifts(deeds, named)
    named["regular"], named["last_gift"] = regulars[0], deeds.account.serials["dpgift"]


def people(deeds: Deeds) -> dict[str, int]:
    def add(first: str, last: str, email: str = "", **more: Any) -> int:
        return deeds.add_donor(first_name=first or None, last_name=last, email=email or None, **more)

    found = {
        "apostrophe": add("Maeve", "O'Reilly", "maeve.oreilly@rivermail.test", mobile_phone="(503) 555-0117"),
        "no_mail": add("Doris", "Quiet", "doris.quiet@rivermail.test", nomail="Y", nomail_reason="DE"),
        "no_email": add("Abel", "Unwired", home_phone="503-555-0123"),
        "two_emails": add("Rosa", "Mendes", "rosa@mendes.test; office@mendes.test"),
        "organization": add("", "Oak & Pine Hardware", "hello@oakpine.test", org_rec="Y", donor_type="CO",
                            opt_line="Attn: Pat Doyle", business_phone="503-555-0144"),
        "non_ascii": add("Zoë", "Łukasiewicz", "zoe.l@rivermail.test"),
        "shared_mailbox": add("Grace", "Foster", "the.fosters@oakpost.test"),
        "merged_into": add("Henry", "Adler", "henry.adler@rivermail.test"),
    }  # fmt: skip
    loser = add("Harry", "Adler", "harry.adler@rivermail.test")
    moved = deeds.add_gift(loser, 44, "3/3/2026")
    deeds.merge(loser, found["merged_into"])
    return found | {"merged_away": loser, "moved_gift": moved}


def gifts(deeds: Deeds, who: dict[str, int]) -> dict[str, int]:
    main, *parts = deeds.split(who["apostrophe"], [(60, "UN"), (40, "SC")], "6/1/2026", gift_narrative="Gala & auction")
    pledge = deeds.pledge(who["two_emails"], 1200, 100, "6/2/2026")
    given = deeds.add_gift(who["organization"], 500, "6/3/2026", gift_narrative="From the till & the counter")
    original = deeds.add_gift(who["no_email"], 29.95, "6/4/2026", gift_narrative="Bake sale")
    result, change = deeds.adjust(original, 19.95)
    mistake = deeds.add_gift(who["non_ascii"], 80, "6/5/2026")
    nothing, taken_back = deeds.adjust(mistake, 0)
    in_honor = deeds.add_gift(who["shared_mailbox"], 120, "6/6/2026", memory_honor="FOSTER")
    edited = deeds.add_gift(who["apostrophe"], 15, "6/7/2026")
    deeds.edit_gift(edited, amount=18)
    deeds.account.next_id("dpgift")  # a number that is taken, and appears later
    return {
        "split_main": main, "split_part": parts[0], "split_part_2": parts[1], "pledge": pledge,
        "pledge_payment": deeds.pay(pledge, 100, "6/15/2026"), "given": given,
        "soft_credit": deeds.soft_credit(given, who["apostrophe"]), "adjusted": original, "adjustment": change,
        "adjusted_to": result, "refunded": mistake, "refund": taken_back, "refunded_to": nothing,
        "tribute_gift": in_honor, "tribute_row": deeds.tribute(in_honor, who["two_emails"]), "edited": edited,
        "skipped_gift": deeds.add_gift(who["no_mail"], 60, "6/8/2026"),
    }  # fmt: skip
