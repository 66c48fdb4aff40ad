"""What a column of a file of gifts is: the gift's own, and those by which its donor is found."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from contacts.importing import columns as of_contacts
from contacts.importing.columns import IDENTIFIER, IGNORE, REPORT_COLUMNS, plain, system_of

GIFT, DONOR = "The gift", "The donor"
# field: (what it is called, in which group of the choice, other headings it is known by)
FIELDS: dict[str, tuple[str, str, str]] = {
    "received_on": ("Date", GIFT,
        "gift date, donation date, date of gift, date received, received, received on, transaction date, payment date, "
        "date given, given on, created, datum, fecha, posted date, deposit date, check date"),
    "amount": ("Amount", GIFT,
        "gift amount, donation amount, donation, gift, total, sum, value, amount usd, amount eur, gross amount, "
        "betrag, importe, montant, payment amount, transaction amount, total amount, paid"),
    "campaign": ("Campaign", GIFT, "appeal, solicitation, drive, campaign name, kampagne, event, appeal name"),
    "fund": ("Fund", GIFT, "designation, gl code, purpose, fund name, restricted to, general ledger"),
    "payment_method": ("Payment method", GIFT,
        "method, payment type, pay type, tender type, tender, gift type, paid by, type of gift, form of payment"),
    "comment": ("Comment", GIFT,
        "comments, note, notes, memo, remarks, remark, description, message, gift narrative, donor comment"),
    "identifier": ("Identifier of the gift", GIFT,
        "identifier, gift id, donation id, transaction id, transaction number, receipt number, receipt no, payment id, "
        "confirmation number, order id, id, gift number, reference, reference number, transaction"),
    "email": ("Email", DONOR, ""),
    "full_name": ("Name (is divided)", DONOR, "donor, donor name, given by, from, constituent, constituent name"),
    "first_name": ("First name", DONOR, ""),
    "last_name": ("Last name", DONOR, ""),
    "organization_name": ("Organization", DONOR, ""),
    "custom_user_id": ("Donor id", DONOR,
        "donor id, constituent id, donor number, member id, member number, supporter id, contact id, customer id"),
    "uid": ("Almoner id (of the donor)", DONOR, "almoner id"),
    "phone": ("Phone", DONOR, ""),
}  # fmt: skip
OF_DONOR = [key for key, (_, group, _) in FIELDS.items() if group == DONOR]
KNOWN = {plain(word): key for word, key in of_contacts.KNOWN.items() if key in OF_DONOR}
KNOWN |= {
    plain(word): key for key, (label, _, words) in FIELDS.items()
    for word in [label, key.replace("_", " "), *words.split(",")] if word.strip()
}  # fmt: skip
KNOWN |= {plain(word): IGNORE for word in (*REPORT_COLUMNS, "Source", "Counts in totals", "Refunded")}


@dataclass
class Choices:
    """What a column can be in this organization."""

    systems: list[str]

    @classmethod
    def here(cls) -> "Choices":
        """With the other systems that it has identifiers of."""
        return cls(of_contacts.Choices.here().systems)

    def groups(self, heading: str) -> list[tuple[str, list[tuple[str, str]]]]:
        """For the choice on the page."""
        found: dict[str, list[tuple[str, str]]] = {}
        for key, (label, group, _) in FIELDS.items():
            found.setdefault(group, []).append((key, label))
        names = {name.casefold(): name for name in [system_of(heading), *self.systems] if name}
        label = "Identifier of the donor in another system"
        found[label] = [(f"{IDENTIFIER}{name}", name) for name in names.values()]
        return list(found.items())

    def is_known(self, key: str) -> bool:
        """Whether this is something that a column can be."""
        return key in FIELDS or key == IGNORE or (key.startswith(IDENTIFIER) and 0 < len(key) - len(IDENTIFIER) <= 50)

    def label(self, key: str) -> str:
        """What it is called."""
        if key.startswith(IDENTIFIER):
            return f"Identifier in {key.removeprefix(IDENTIFIER)}"
        return FIELDS[key][0] if key in FIELDS else "Do not import"


def recognise(headings: Sequence[str], rows: Sequence[Sequence[str]], choices: Choices) -> list[str]:
    """The field of each column, each once."""
    by_system = {plain(f"{name}{end}"): f"{IDENTIFIER}{name}" for name in choices.systems for end in ("", " id")}
    found: list[str] = []
    for index, heading in enumerate(headings):
        name = plain(re.sub(r" \(\d+\)$", "", heading))
        cells = [row[index] for row in rows if index < len(row) and row[index]]
        key = {**KNOWN, **by_system}.get(name)
        if key is None:
            are_emails = cells and all(of_contacts.LOOKS_LIKE_EMAIL.fullmatch(cell) for cell in cells)
            key = "email" if are_emails else IGNORE
        found.append(key if key not in found else IGNORE)
    if {"first_name", "last_name"} <= set(found):
        return [IGNORE if key == "full_name" else key for key in found]
    return found


def clashes(chosen: Sequence[str], headings: Sequence[str], choices: Choices) -> list[str]:
    """A sentence for each field that several columns claim, and for what a gift cannot be without."""
    problems = []
    for key in dict.fromkeys(chosen):
        names = [f"“{heading}”" for heading, one in zip(headings, chosen, strict=True) if one == key]
        if key != IGNORE and len(names) > 1:
            problems.append(
                f"{' and '.join(names)} cannot both be {choices.label(key)}. Choose something else for one."
            )
    for key in ("received_on", "amount"):
        if key not in chosen:
            problems.append(f"Choose which column is the {FIELDS[key][0].lower()} of the gift.")
    if not any(key in OF_DONOR or key.startswith(IDENTIFIER) for key in chosen):
        problems.append("Choose at least one column that says who gave: an email, an id or a name.")
    return problems
