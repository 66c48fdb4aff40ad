"""The tables that the sandbox holds, column by column as the vendor's, in one SQLite database per account.

Kinds: int, money, date (kept as "YYYY-MM-DD HH:MM:SS"), bit, and a number for text of at most that length (0: no end).
"""

from __future__ import annotations

import re
import sqlite3
from functools import cache

Kind = int | str
PEOPLE = """donor_id int!, first_name 50, last_name 75!, middle_name 50, suffix 50, title 50, salutation 130,
  prof_title 100, opt_line 100, address 100, address2 100, city 50, state 30, zip 20, country 30, address_type 30,
  home_phone 40, business_phone 40, fax_phone 40, mobile_phone 40, email 75, org_rec 1, donor_type 30, nomail 1!,
  nomail_reason 30, narrative 0, tag_date date, initial_gift_date date, last_contrib_date date,
  last_contrib_amt money, ytd money, ly_ytd money, gift_total money, gifts int, max_date date, max_amt money,
  avg_amt money, yrs_donated int, created_by 20, created_date date, modified_by 20, modified_date date,
  donor_rcpt_type 1, address3 100, address4 100, receipt_delivery 1, import_id int"""
GIFTS = """gift_id int!, donor_id int!, record_type 1!, gift_date date, amount money, gl_code 30, solicit_code 30,
  sub_solicit_code 30, campaign 30, gift_type 30, split_gift 1!, pledge_payment 1!, first_gift 1, reference 100,
  memory_honor 30, gfname 50, glname 75, fmv money, batch_no int!, gift_narrative 4000, ty_letter_no 30, glink int,
  plink int, nocalc 1!, receipt 1!, ty_date date, start_date date, total money, bill money, balance money,
  delinquent money, initial_payment 1!, frequency 30, reminder 1!, last_paid_date date, writeoff_date date,
  writeoff_amount money, created_by 20, created_date date, modified_by 20, modified_date date, address_id int,
  alink int, tlink int, batch_gift_id int, currency 3, receipt_delivery_g 1, contact_id int, transaction_id int,
  gift_aid_date date, gift_aid_amt money, gift_aid_eligible_g 1, acknowledgepref 3, old_amount money"""
CONTACTS = """contact_id int!, donor_id int!, contact_date date, due_date date, completed_date date, comment 0,
  by_whom 30, activity_code 30, mailing_code 30, document_path 200, created_by 20, created_date date, modified_by 20,
  modified_date date, due_time 20, gift_id int, pledge_id int, plan_id int, import_id int, em_campaign 200,
  em_campaign_status 200, em_bounce_reason 200, em_event_status_date 200, contact_email 300, contact_state 200"""
CODES = """CODE_ID int!, FIELD_NAME 20!, CODE 30!, DESCRIPTION 100, INACTIVE 1, COMMENTS 2000, START_DATE date,
  END_DATE date, ACCT_NUM 30, CAMPAIGN 30, SOLICIT_CODE 30"""
PLANS = {
    "dp": PEOPLE,
    "dpgift": GIFTS,
    "dpcontact": CONTACTS,
    "dpcodes": CODES,
    "dpflags": "donor_id int!, flag 30!",
    "dpudf": "donor_id int!, MAJOR_DONOR 1, BOARD_NOTES 2000",
    "dpgiftudf": "gift_id int!, EFT 1, anongift 1",
    "information_schema.columns": "TABLE_NAME 128, COLUMN_NAME 128, ORDINAL_POSITION int, DATA_TYPE 128, "
    "CHARACTER_MAXIMUM_LENGTH int, IS_NULLABLE 3",
}
KEYS = {"dp": "donor_id", "dpgift": "gift_id", "dpcontact": "contact_id", "dpcodes": "CODE_ID"}
AFFINITY = {"int": "INTEGER", "money": "NUMERIC", "date": "TEXT", "bit": "INTEGER"}
SERVER_TYPES = {"int": "int", "money": "money", "date": "datetime", "bit": "bit"}
# Read all the time by a client that pages or asks for one donor.
INDEXES = ("dpgift (donor_id)", "dpcontact (donor_id)")


@cache
def columns(table: str) -> dict[str, Kind]:
    """{column: kind} of a table, in its order and in the letters of its definition."""
    found: dict[str, Kind] = {}
    for piece in PLANS[table].split(","):
        name, kind = piece.split()
        kind = kind.rstrip("!")
        found[name] = int(kind) if kind.isdecimal() else kind
    return found


@cache
def folded(table: str) -> dict[str, str]:
    """{name in small letters: name as defined}."""
    return {name.lower(): name for name in columns(table)}


@cache
def required(table: str) -> frozenset[str]:
    return frozenset(piece.split()[0] for piece in PLANS[table].split(",") if piece.strip().endswith("!"))


def inside(table: str) -> str:
    """The name of the table in SQLite."""
    return table.replace(".", "_")


def new_database() -> sqlite3.Connection:
    """An empty database with every table; used by one thread at a time, under the account's lock."""
    database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    database.create_function("like", 2, like, deterministic=True)
    for table in PLANS:
        lines = []
        for name, kind in columns(table).items():
            affinity = AFFINITY.get(str(kind), "TEXT COLLATE NOCASE")
            key = " PRIMARY KEY" if KEYS.get(table) == name else ""
            lines.append(f'"{name}" {affinity}{key}')
        database.execute(f"CREATE TABLE {inside(table)} ({', '.join(lines)})")
    for place in INDEXES:
        database.execute(f"CREATE INDEX ix_{place.split()[0]} ON {place}")
    describe(database)
    return database


def describe(database: sqlite3.Connection) -> None:
    """What INFORMATION_SCHEMA.COLUMNS says."""
    for table in PLANS:
        if "." not in table:
            for number, (name, kind) in enumerate(columns(table).items(), 1):
                row = (table.upper(), name, number, SERVER_TYPES.get(str(kind), "nvarchar"),
                       (kind or -1) if isinstance(kind, int) else None,
                       "NO" if name in required(table) else "YES")  # fmt: skip
                database.execute("INSERT INTO information_schema_columns VALUES (?, ?, ?, ?, ?, ?)", row)


@cache
def pattern(text: str) -> re.Pattern[str]:
    """SQL Server's LIKE: %, _, and [abc], [a-f], [^abc]; letters are alike, large and small."""
    parts, place = [], 0
    while place < len(text):
        sign = text[place]
        end = text.find("]", place + 1) if sign == "[" else -1
        if end > place + 1:
            inner = text[place + 1 : end]
            negated = inner.startswith("^")
            body = re.escape(inner[1:] if negated else inner).replace(r"\-", "-")
            parts.append(f"[{'^' if negated else ''}{body}]")
            place = end
        else:
            parts.append({"%": ".*", "_": "."}.get(sign, re.escape(sign)))
        place += 1
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def like(wanted: str | None, text: object) -> int | None:
    if wanted is None or text is None:
        return None
    return int(pattern(wanted).fullmatch(str(text)) is not None)
