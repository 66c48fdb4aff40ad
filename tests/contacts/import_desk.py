"""Importing without pages and without a queue: a file is put in, and the turns are taken by hand."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from contacts.importing import steps
from contacts.importing.turns import turn
from contacts.models import (
    Contact,
    ContactTag,
    CustomValue,
    EmailAddress,
    Import,
    ImportRow,
    ListMembership,
    OutsideIdentifier,
    PhoneNumber,
    PostalAddress,
    Tag,
    User,
)
from tests.factories import UserFactory


def user() -> User:
    """Whoever imports."""
    return User.objects.filter(email="ana@rivermail.test").first() or UserFactory(email="ana@rivermail.test")


def uploaded(content: str | bytes, name: str = "people.csv") -> Import:
    """The file is in, its columns are recognised."""
    body = content.encode() if isinstance(content, str) else content
    return steps.start(SimpleUploadedFile(name, body), user())


def work(data_import: Import, turns: int = 500, seconds: float = 15) -> Import:
    """Turns until nothing is left to do."""
    for _ in range(turns):
        if not turn(data_import.pk, seconds):
            break
    data_import.refresh_from_db()
    return data_import


def checked(content: str | bytes, fields: dict[str, str] | None = None, **options: Any) -> Import:
    """The preview is ready; `fields` says by heading what columns are."""
    data_import = uploaded(content)
    chosen = [(fields or {}).get(one["header"], one["field"]) for one in data_import.columns]
    assert steps.match(data_import, chosen, options)
    return work(data_import)


def imported(content: str | bytes, fields: dict[str, str] | None = None, **options: Any) -> Import:
    """Checked, confirmed and written."""
    data_import = checked(content, fields, **options)
    assert data_import.state == Import.State.READY, (data_import.state, data_import.error)
    assert steps.confirm(data_import, user())
    return work(data_import)


def taken_back(data_import: Import) -> Import:
    """Looked at, confirmed, undone."""
    assert steps.look_back(data_import)
    work(data_import)
    assert data_import.state == Import.State.ASKING
    assert steps.take_back(data_import, user())
    return work(data_import)


def row(data_import: Import, number: int) -> ImportRow:
    """One row, as a spreadsheet numbers it."""
    return ImportRow.objects.get(data_import=data_import, number=number)


def outcomes(data_import: Import) -> list[str]:
    """What becomes of each row, in the order of the file."""
    return list(ImportRow.objects.filter(data_import=data_import).order_by("number").values_list("outcome", flat=True))


def picture() -> list[Any]:
    """Everything about everybody, without numbers of rows and times: equal before and after means nothing changed."""
    parts: list[Any] = []
    for model, fields in PICTURED.items():
        parts.append((model.__name__, sorted(map(repr, model.objects.values_list(*fields)))))
    return parts


PICTURED: dict[Any, list[str]] = {
    Contact: ["uid", "kind", "first_name", "last_name", "organization_name", "job_title", "do_not_contact",
              "custom_user_id", "notes", "household"],
    EmailAddress: ["contact__uid", "address", "address_key", "is_primary", "state"],
    PhoneNumber: ["contact__uid", "number", "label", "is_primary"],
    PostalAddress: ["contact__uid", "label", "street", "city", "state", "postal_code", "country", "is_primary"],
    OutsideIdentifier: ["contact__uid", "system", "value"],
    ContactTag: ["contact__uid", "tag__name"],
    ListMembership: ["contact__uid", "contact_list__uid", "do_not_contact", "position"],
    CustomValue: ["contact__uid", "field__uid", "value", "number"],
    Tag: ["name"],
}  # fmt: skip
