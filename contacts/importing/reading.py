"""From the cells of one row to what it says about one person. Pure, apart from the organization's lists and fields."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from contacts import custom
from contacts.importing import values
from contacts.importing.columns import CUSTOM, IDENTIFIER, IGNORE
from contacts.models import Contact, ContactList, Import, OutsideIdentifier, PostalAddress
from contacts.tenancy.models import Tenant

BY_NAME_TOO, BY_EMAIL, BY_ID = "careful", "email", "id"
MATCHES = {
    BY_NAME_TOO: "By identifier, else by email address. Somebody with the same address and another first name is "
    "another person, as couples who share an address are.",
    BY_EMAIL: "By identifier, else by email address alone. Where several contacts share it, the name decides.",
    BY_ID: "By identifier alone. Rows without one become new contacts.",
}
TEXTS = {
    name: int(Contact._meta.get_field(name).max_length)  # type: ignore[union-attr,arg-type]
    for name in ("first_name", "last_name", "organization_name", "job_title", "custom_user_id")
} | {
    name: int(PostalAddress._meta.get_field(name).max_length)  # type: ignore[union-attr,arg-type]
    for name in ("street", "city", "state", "postal_code")
}
MOST_IN_CELL = 10_000
MANY_BREAKS = 100


@dataclass(slots=True)
class Wanted:
    """What one row says. A value that is "" was an empty cell; what no column gives is not there at all."""

    number: int
    values: dict[str, str] = field(default_factory=dict)
    emails: list[str] = field(default_factory=list)
    more_phones: list[str] = field(default_factory=list)
    ids: list[tuple[str, str]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    lists: list[Any] = field(default_factory=list)
    dnc_lists: list[Any] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    uid: str = ""
    do_not_contact: bool = False
    says_may_contact: bool = False
    warnings: list[str] = field(default_factory=list)
    refusal: str = ""

    @property
    def label(self) -> str:
        """Whom it is about."""
        person = f"{self.values.get('first_name', '')} {self.values.get('last_name', '')}".strip()
        first = person or self.values.get("organization_name", "") or (self.emails[0] if self.emails else "")
        return (first or next(iter(self.phones), ""))[:200]

    @property
    def phones(self) -> list[str]:
        """Every number in the row."""
        return [v for k, v in self.values.items() if k.partition(":")[0] == "phone" and v] + self.more_phones

    def warn(self, sentence: str) -> None:
        if sentence and sentence not in self.warnings:
            self.warnings.append(sentence)


class Reader:
    """Reads the rows of one import, as its columns and options say."""

    def __init__(self, data_import: Import, tenant: Tenant) -> None:
        options = data_import.options
        self.columns = [(index, one["field"]) for index, one in enumerate(data_import.columns) if one.get("field")]
        self.width = len(data_import.columns)
        self.clears = options.get("empty") == "clear"
        self.match = options.get("match", BY_NAME_TOO)
        self.day_first = custom.writes_day_first(tenant)
        self.region = options.get("region") or tenant.phone_region
        self.lists = {row.name.casefold(): row for row in ContactList.objects.all()}
        self.lists_by_uid = {str(row.uid): row for row in self.lists.values()}
        self.fields = {str(row.uid): row for row in custom.fields()}
        self.everybody_on = self.lists_by_uid.get(options.get("list", ""))
        self.everybody_tagged = values.words_of(options.get("tag", ""))
        self.has_dnc = any(key in ("do_not_contact", "may_contact") for _, key in self.columns)
        # Names first, whatever the order of columns: a country decides how phone numbers are read.
        self.columns.sort(key=lambda pair: pair[1] != "country")

    def read(self, number: int, cells: Sequence[str]) -> Wanted:
        """What this row says."""
        want = Wanted(number)
        if any(len(cell) > MOST_IN_CELL or cell.count("\n") > MANY_BREAKS for cell in cells):
            want.refusal = (
                'A cell is longer than any cell should be: most likely a quotation mark (") opens it and nothing '
                "closes it, so that it swallowed the rows below. Put the cell right in the file."
            )
            return want
        if any(cells[self.width :]):
            want.warn("The row has more cells than there are headings; the last ones were left out.")
        for index, key in self.columns:
            self.take(want, key, cells[index] if index < len(cells) else "")
        self.complete(want)
        return want

    def take(self, want: Wanted, key: str, cell: str) -> None:
        """One cell."""
        name, _, rest = key.partition(":")
        if name in TAKERS:
            TAKERS[name](self, want, cell, key)
        elif name == CUSTOM[:-1]:
            self.take_custom(want, cell, rest)
        elif name == IDENTIFIER[:-1]:
            self.take_identifier(want, rest, cell)
        elif key in TEXTS:
            want.values[key], problem = values.cut(values.tidy(cell), TEXTS[key])
            want.warn(problem)

    def complete(self, want: Wanted) -> None:
        """What the whole row says: who it is, and whether there is anything to import."""
        if "full_name" in want.values:
            first, last = values.names(want.values.pop("full_name"))
            for key, text in (("first_name", first), ("last_name", last)):
                if text or key not in want.values:
                    want.values[key], problem = values.cut(text, TEXTS[key])
                    want.warn(problem)
        if "street_2" in want.values:
            parts = [want.values.get("street", ""), want.values.pop("street_2")]
            want.values["street"], problem = values.cut(", ".join(filter(None, parts)), TEXTS["street"])
            want.warn(problem)
        want.warn(values.lost_zero(want.values.get("postal_code", ""), want.values.get("country") or self.region))
        if self.everybody_on:
            want.lists = list({row.pk: row for row in [*want.lists, self.everybody_on]}.values())
        want.tags = values.words_of(",".join([*want.tags, *self.everybody_tagged]))
        identified = want.uid or want.values.get("custom_user_id") or want.ids
        if not (want.label or identified):
            left_out = " ".join(want.warnings)
            sentence = "There is no name, organization, email address or phone number in this row to import."
            want.refusal = f"{sentence} {left_out}".strip()

    # --- cells of a kind ---
    def take_email(self, want: Wanted, cell: str, key: str) -> None:
        good, bad = values.email_addresses(cell)
        known = {address.lower() for address in want.emails}
        fresh = [address for address in good if address.lower() not in known]
        want.emails = fresh + want.emails if key == "email" else want.emails + fresh
        if key == "email":
            want.values["email"] = good[0] if good else ""
        for text in bad:
            want.warn(f"“{text[:60]}” is not an email address, so it was left out.")
            want.values.pop("email", None)  # unreadable is not empty: what is there stays

    def take_phone(self, want: Wanted, cell: str, key: str) -> None:
        country = want.values.get("country", "")
        number, problem = values.phone_number(cell, (country, self.region) if country else (self.region,))
        want.warn(problem)
        if number or not values.tidy(cell):
            want.values[key] = number

    def take_more_phones(self, want: Wanted, cell: str, key: str) -> None:
        for part in cell.split(";"):
            number, problem = values.phone_number(part, (self.region,))
            want.warn(problem)
            if number:
                want.more_phones.append(number)

    def take_country(self, want: Wanted, cell: str, key: str) -> None:
        code = values.country(cell)
        if code is None:
            want.warn(
                f"“{cell[:40]}” is not a country that we know, so it was left out. Write two letters, such as US."
            )
        else:
            want.values["country"] = code

    def take_kind(self, want: Wanted, cell: str, key: str) -> None:
        kind = values.kind(cell)
        if kind:
            want.values["kind"] = kind
        elif values.tidy(cell):
            want.warn(f"“{cell[:40]}” is neither a person nor an organization, so it was left out.")

    def take_dnc(self, want: Wanted, cell: str, key: str) -> None:
        said = values.opted_out(cell) if key == "do_not_contact" else None
        if key == "may_contact":
            may = values.may_be_contacted(cell)
            said = None if may is None else not may
            if may is None and values.tidy(cell):
                want.warn(f"“{cell[:40]}” says neither yes nor no, so nothing was made of it. Write yes or no.")
        elif said and values.tidy(cell).casefold() not in custom.YES:
            want.warn(f"“{cell[:40]}” in the column of Do Not Contact is no clear no, so it was read as yes.")
        want.do_not_contact = want.do_not_contact or bool(said)
        want.says_may_contact = want.says_may_contact or said is False

    def take_lists(self, want: Wanted, cell: str, key: str) -> None:
        # A list's name may have a comma in it.
        names = [cell] if values.tidy(cell).casefold() in self.lists else values.words_of(cell)
        for name in names:
            row = self.lists.get(values.tidy(name).casefold())
            if row is None:
                want.warn(f"There is no list “{name[:60]}”, so nobody was put on it. Make the list first.")
            else:
                (want.lists if key == "lists" else want.dnc_lists).append(row)

    def take_tags(self, want: Wanted, cell: str, key: str) -> None:
        for word in values.words_of(cell):
            if len(word) > 80:
                want.warn(f"“{word[:40]}…” is too long for a tag (80 letters), so it was left out.")
            else:
                want.tags.append(word)

    def take_notes(self, want: Wanted, cell: str, key: str) -> None:
        if text := cell.strip():
            want.notes.append(text)

    def take_uid(self, want: Wanted, cell: str, key: str) -> None:
        want.uid = values.tidy(cell).lower()

    def take_identifiers(self, want: Wanted, cell: str, key: str) -> None:
        for part in cell.split(";"):
            system, colon, value = part.partition(":")
            if colon:
                self.take_identifier(want, values.tidy(system), value)
            elif values.tidy(part):
                want.warn(f"“{part[:40]}” was left out: an identifier is written as “System: number”.")

    def take_raw(self, want: Wanted, cell: str, key: str) -> None:
        want.values[key] = ", ".join(filter(None, [want.values.get(key, ""), values.tidy(cell)]))

    def take_custom(self, want: Wanted, cell: str, uid: str) -> None:
        field_of = self.fields.get(uid)
        if field_of is None:
            want.warn("A column belongs to one of your own fields that was deleted, so it was left out.")
            return
        try:
            want.values[f"{CUSTOM}{uid}"] = custom.canonical(field_of, cell, self.day_first)
        except ValidationError as problem:
            want.warn(f"{field_of.name}: {' '.join(problem.messages)} It was left out.")

    def take_identifier(self, want: Wanted, system: str, cell: str) -> None:
        most = int(OutsideIdentifier._meta.get_field("value").max_length)  # type: ignore[union-attr,arg-type]
        value = values.tidy(cell)
        if len(value) > most:
            want.warn(f"“{value[:40]}…” is too long for an identifier, so it was left out.")
        elif value and system:
            want.ids.append((system[:50], value))


TAKERS: dict[str, Callable[[Reader, Wanted, str, str], None]] = {
    "email": Reader.take_email, "other_email": Reader.take_email, "phone": Reader.take_phone,
    "other_phone": Reader.take_more_phones, "country": Reader.take_country, "kind": Reader.take_kind,
    "do_not_contact": Reader.take_dnc, "may_contact": Reader.take_dnc, "lists": Reader.take_lists,
    "dnc_lists": Reader.take_lists, "tags": Reader.take_tags, "notes": Reader.take_notes, "uid": Reader.take_uid,
    "identifiers": Reader.take_identifiers, "full_name": Reader.take_raw, "street_2": Reader.take_raw,
    IGNORE: lambda reader, want, cell, key: None,
}  # fmt: skip
