"""Invent what a donation page hands out: 400 gifts of people who are here, as such files look, with a few slips."""

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from contacts.models import Contact

NAME = "sample-gifts.csv"
ROWS = 400
SEED = 20_190_504
HEADINGS = ["Transaction ID", "Date", "Donor Name", "E-mail", "Donation", "Designation", "Appeal", "Tender", "Note"]
AMOUNTS = ("10", "25.00", "$25", "$50.00", "50", "75.5", "$100.00", "$250.00", "USD 40", "$1,250.00")
NOTES = ("In memory of my mother", "For the otters!", "Please no receipt", "Matched by my employer", "")
# (email, amount, note) of rows of which each shows something: nobody here, a refund, no amount, the number of a card.
SLIPS = (
    ("somebody.new@lettermail.test", "$30.00", ""), ("nobody@oakpost.test", "15", ""), ("", "$-25.00", "refund"),
    ("", "", ""), ("", "ask Hal", ""), ("", "$60.00", "card 4111 1111 1111 1111, by phone"),
)  # fmt: skip


def write(folder: Path, contacts: Sequence[Contact], today: date) -> Path:
    """Write the file about some of these contacts, unless it is there."""
    path = folder / NAME
    if not path.exists():
        path.write_bytes(content(contacts, today))
    return path


def content(contacts: Sequence[Contact], today: date) -> bytes:
    """The whole file; for the same people and day always the same. Two rows come twice."""
    dice = Random(SEED)  # noqa: S311 - invented data
    known = [one for one in contacts if one.primary_email and one.last_name]
    rows = [row(dice, number, dice.choice(known), today) for number in range(ROWS - len(SLIPS) - 2)]
    for number, (email, amount, note) in enumerate(SLIPS):
        slip = row(dice, ROWS + number, dice.choice(known), today)
        slip[3:5], slip[8] = [email or slip[3], amount], note
        slip[2] = "" if email else slip[2]
        rows.insert(7 * (number + 1), slip)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([HEADINGS, *rows, *rows[20:22]])
    return text.getvalue().encode("utf-8-sig")


def row(dice: Random, number: int, contact: Contact, today: date) -> list[str]:
    """One gift, most of them older than the 30 days within which one is thanked."""
    day = today - timedelta(days=dice.choice((dice.randrange(25), *(dice.randrange(31, 540) for _ in range(9)))))
    email = contact.primary_email.address if contact.primary_email else ""
    return [
        f"WEB-{70_000 + number}", f"{day.month}/{day.day}/{day.year}", str(contact),
        email.upper() if dice.random() < 0.05 else email, dice.choice(AMOUNTS), dice.choice(("River school", "", "")),
        dice.choice(("Web page", "Web page", "Otter week")), dice.choice(("card", "card", "PayPal")),
        dice.choice(NOTES) if dice.random() < 0.2 else "",
    ]  # fmt: skip
