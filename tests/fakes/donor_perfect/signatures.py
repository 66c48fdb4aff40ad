"""The stored procedures: their parameters in order, and how a value becomes what a parameter is.

Kinds as in tables.py, besides "yn" ('Y' or 'N' and nothing else). A name with "?" may be left out.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.fakes.donor_perfect.errors import no_null, not_supplied, sql_error
from tests.fakes.donor_perfect.options import Options
from tests.fakes.donor_perfect.params import Given, Value
from tests.fakes.donor_perfect.tables import Kind
from tests.fakes.donor_perfect.values import WRITTEN, narrowed, read_date

SIGNATURES = {
    "dp_savecontact": "contact_id int, donor_id int, activity_code 30, mailing_code 30, by_whom 30, contact_date date, "
    "due_date date, due_time 20, completed_date date, comment 4000, document_path 200, user_id 20, "
    "contact_email? 300, em_campaign_status? 200, em_campaign? 200, em_event_status_date? 200, em_bounce_reason? 200, "
    "contact_state? 200",
    "dp_savedonor": "donor_id int, first_name 50, last_name 75, middle_name 50, suffix 50, title 50, salutation 130, "
    "prof_title 100, opt_line 100, address 100, address2 100, city 50, state 30, zip 20, country 30, address_type 30, "
    "home_phone 40, business_phone 40, fax_phone 40, mobile_phone 40, email 75, org_rec 1, donor_type 30, nomail yn, "
    "nomail_reason 30, narrative 4000, donor_rcpt_type 1, user_id 20, receipt_delivery? 1",
    "dp_savegift": "gift_id int, donor_id int, record_type 1, gift_date date, amount money, gl_code 30, "
    "solicit_code 30, sub_solicit_code 30, campaign 30, gift_type 30, split_gift yn, pledge_payment yn, "
    "reference 100, transaction_id int, memory_honor 30, gfname 50, glname 75, fmv money, batch_no int, "
    "gift_narrative 4000, ty_letter_no 30, glink int, plink int, nocalc yn, receipt yn, old_amount money, user_id 20, "
    "gift_aid_date date, gift_aid_amt money, gift_aid_eligible_g 1, currency 3, receipt_delivery_g? 1, "
    "acknowledgepref? 3, first_gift? 1",
    "dp_donorsearch": "donor_id int, last_name 75, first_name 50, opt_line 100, address 100, city 50, state 30, "
    "zip 20, country 30, filter_id int, user_id 20",
    "dp_gifts": "donor_id int",
}


@cache
def parameters(procedure: str) -> dict[str, tuple[Kind, bool]]:
    """{name: (kind, whether it must be given)}."""
    found = {}
    for piece in SIGNATURES[procedure].split(","):
        name, kind = piece.split()
        found[name.rstrip("?")] = (int(kind) if kind.isdecimal() else kind, not name.endswith("?"))
    return found


def read(procedure: str, given: Given, options: Options) -> dict[str, Any]:
    """What was supplied, by name, each as its parameter is; None for null and for what may be left out."""
    wanted = parameters(procedure)
    if len(given.by_position) > len(wanted):
        raise sql_error(f"Procedure or function {procedure} has too many arguments specified.")
    supplied = dict(zip(wanted, given.by_position, strict=False)) | given.by_name
    if unknown := [name for name in supplied if name not in wanted]:
        raise sql_error(f"@{unknown[0]} is not a parameter for procedure {procedure}.")
    found: dict[str, Any] = {}
    for name, (kind, is_required) in wanted.items():
        if name not in supplied and is_required:
            raise not_supplied(procedure, name)
        found[name] = fitted(supplied[name], kind, name, options) if name in supplied else None
    return found


def fitted(value: Value, kind: Kind, name: str, options: Options) -> Any:
    """A value as SQL Server takes it for a parameter of this kind; text is cut without a word."""
    if kind == "yn":
        if value.text is None:
            raise no_null("DPO", name)
        if not value.is_quoted or value.text not in ("Y", "N"):
            raise sql_error(f"The value of '{name}' must be 'Y' or 'N'.")
        return value.text
    if value.text is None:
        return None
    if kind == "date":
        # Times are not supported on write.
        if not value.is_quoted or not WRITTEN.fullmatch(value.text.strip()):
            raise sql_error("Error converting data type varchar to datetime.")
        return read_date(value.text)
    if kind in ("int", "money"):
        if not value.is_number:
            raise sql_error("Error converting data type varchar to numeric.")
        return int(float(value.text)) if kind == "int" else round(float(value.text), 4)
    if not value.is_quoted:
        raise sql_error("Error converting data type numeric to nvarchar.")
    text = value.text if value.is_unicode and options.is_unicode else narrowed(value.text)
    return text[: int(kind)] if kind else text
