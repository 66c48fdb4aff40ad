"""The columns of a file of contacts. Their headings are what the import recognises, so a file can come back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from contacts import custom
from contacts.exporting.people import Row
from contacts.models import Contact, ContactList, CustomField, EmailAddress
from contacts.standing import EVERYWHERE

BETWEEN = "; "  # several values in one cell


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how it is headed, where it stands on the page that asks, what it reads and how."""

    heading: str
    group: str
    read: Callable[[Any], Any]
    parts: tuple[str, ...] = ()
    is_usual: bool = True
    is_always: bool = False  # cannot be left out


def of_contact(name: str) -> Callable[[Row], Any]:
    """A field of the contact itself."""
    return lambda row: row.contact[name]


def of_address(number: int) -> Callable[[Row], Any]:
    """A line of the first postal address."""
    return lambda row: row.postal[0][number] if row.postal else ""


def local_day(moment: Any) -> str:
    """2026-03-31, in the organization's time zone."""
    return timezone.localtime(moment).strftime("%Y-%m-%d")


def local_minute(moment: Any) -> str:
    """2026-03-31 14:05, in the organization's time zone."""
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")


def kind(row: Row) -> str:
    """Person or organization."""
    return Contact.Kind(row.contact["kind"]).label


def email_state(row: Row) -> str:
    """Only when something is wrong with it."""
    email = row.primary
    return EmailAddress.State(email[3]).label if email and email[3] != EmailAddress.State.OK else ""


def other_emails(row: Row) -> str:
    """All but the primary one."""
    return BETWEEN.join(email[0] for email in row.emails if email is not row.primary)


def other_addresses(row: Row) -> str:
    """All but the first, each in a line."""
    return "\n".join(", ".join(filter(None, address)) for address in row.postal[1:])


WHO, REACH, CONSENT, GROUPS, MORE = "Who they are", "How to reach them", "May we write?", "Lists and tags", "More"

COLUMNS = [
    Column("First name", WHO, of_contact("first_name")),
    Column("Last name", WHO, of_contact("last_name")),
    Column("Organization", WHO, of_contact("organization_name")),
    Column("Job title", WHO, of_contact("job_title")),
    Column("Kind", WHO, kind),
    Column("Household", WHO, lambda row: row.household, ("household",), is_usual=False),
    Column("Household greeting", WHO, lambda row: row.greeting, ("household",), is_usual=False),
    Column("Email", REACH, lambda row: row.primary[0] if row.primary else "", ("emails",)),
    Column("Email problem", REACH, email_state, ("emails",), is_usual=False),
    Column("Other emails", REACH, other_emails, ("emails",)),
    Column("Phone", REACH, lambda row: row.phones[0] if row.phones else "", ("phones",)),
    Column("Other phones", REACH, lambda row: BETWEEN.join(row.phones[1:]), ("phones",)),
    Column("Street", REACH, of_address(0), ("postal",)),
    Column("City", REACH, of_address(1), ("postal",)),
    Column("State", REACH, of_address(2), ("postal",)),
    Column("Postal code", REACH, of_address(3), ("postal",)),
    Column("Country", REACH, of_address(4), ("postal",)),
    Column("Other addresses", REACH, other_addresses, ("postal",), is_usual=False),
    # Empty rather than “no”: a file that comes back must not clear what was set since.
    Column("Do Not Contact", CONSENT, lambda row: "yes" if row.contact["do_not_contact"] else "", is_always=True),
    Column(
        "Do Not Contact on lists", CONSENT, lambda row: BETWEEN.join(place[1] for place in row.places if place[2]),
        ("places",), is_always=True,
    ),
    Column("Lists", GROUPS, lambda row: BETWEEN.join(place[1] for place in row.places), ("places",)),
    Column("Tags", GROUPS, lambda row: BETWEEN.join(row.tags), ("tags",)),
    Column("Notes", MORE, of_contact("notes")),
    Column("Id elsewhere", MORE, of_contact("custom_user_id"), is_usual=False),
    Column("Other ids", MORE, lambda row: BETWEEN.join(row.ids), ("ids",), is_usual=False),
    Column("Added on", MORE, lambda row: local_day(row.contact["created_at"]), is_usual=False),
    Column("Last changed", MORE, lambda row: local_minute(row.contact["updated_at"]), is_usual=False),
    Column("Almoner id", MORE, of_contact("uid")),
]  # fmt: skip
# What a custom field may not be called: the files would have two columns of one name.
TAKEN = {column.heading.casefold() for column in COLUMNS} | {
    "opted out themselves", "name", "position on the list", "do not contact here",
}  # fmt: skip


def opted_out() -> Column:
    """What the contacts themselves opted out of, in words; the names of lists are read once."""
    lists = {f"list:{uid}": name for uid, name in ContactList.objects.order_by().values_list("uid", "name")}

    def in_words(scope: str) -> str:
        if scope == EVERYWHERE:
            return "everything"
        if scope.startswith("place:"):
            return f"newsletter at {scope.removeprefix('place:').partition(' ')[0].replace('_', ' ').title()}"
        return lists.get(scope, "a list that is gone")

    def read(row: Row) -> str:
        return BETWEEN.join(dict.fromkeys(in_words(scope) for scope in sorted(row.out)))

    return Column("Opted out themselves", CONSENT, read, ("emails", "consent"), is_always=True)


def of_custom_field(field: CustomField) -> Column:
    """A number as a number, everything else as it is kept."""

    def read(row: Row) -> Any:
        value = row.custom.get(field.pk, "")
        return Decimal(value) if value and field.kind == CustomField.Kind.NUMBER else value

    heading = f"{field.name} (own field)" if field.name.casefold() in TAKEN else field.name
    return Column(heading, "Your own fields", read, ("custom",))


def of_list(contact_list: ContactList) -> list[Column]:
    """What is said of a member on this one list."""

    def place(row: Row) -> Any:
        return next((one for one in row.places if one[0] == contact_list.pk), None)

    def said(number: int) -> Callable[[Row], Any]:
        return lambda row: place(row)[number] if place(row) else ""

    def since(row: Row) -> str:
        return local_day(place(row)[4]) if place(row) else ""

    here = f"On “{contact_list}”"
    return [
        Column("Do Not Contact here", CONSENT, lambda row: "yes" if said(2)(row) else "", ("places",), is_always=True),
        Column("Position on the list", here, said(3), ("places",)),
        Column("On the list since", here, since, ("places",), is_usual=False),
    ]


def for_contacts(contact_list: ContactList | None = None) -> list[Column]:
    """Every column of a file of contacts, or of one list's members, in the order of the file."""
    columns = list(COLUMNS)
    after = max(i for i, column in enumerate(columns) if column.group == CONSENT) + 1
    columns.insert(after, opted_out())
    if contact_list is not None:
        columns[after + 1 : after + 1] = of_list(contact_list)
    return columns[:-1] + [of_custom_field(field) for field in custom.fields()] + columns[-1:]


def groups(columns: Iterable[Column]) -> dict[str, list[Column]]:
    """{heading on the page: its columns}, in order."""
    found: dict[str, list[Column]] = {}
    for column in columns:
        found.setdefault(column.group, []).append(column)
    return found
