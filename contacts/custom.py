"""Read, judge and write the values of custom fields; forms, imports, merges and exports all come here."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.db import transaction

from contacts.models import Contact, CustomField, CustomValue

YES = {"yes", "y", "true", "1", "on", "x", "✓", "✔"}
NO = {"no", "n", "false", "0", "off"}
MOST = 500
DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y")
AMERICAN, EUROPEAN = "%m/%d/%Y", "%d/%m/%Y"


def canonical(field: CustomField, text: str) -> str:
    """The value as it is kept, or "" for none; ValidationError with a sentence if the field cannot hold it."""
    text = " ".join(text.split()) if field.kind != CustomField.Kind.TEXT else text.strip()
    if not text:
        return ""
    read = {
        CustomField.Kind.NUMBER: _number, CustomField.Kind.DATE: _date, CustomField.Kind.YES_NO: _yes_no,
        CustomField.Kind.CHOICE: lambda said: _choice(field, said),
    }.get(CustomField.Kind(field.kind))  # fmt: skip
    value = read(text) if read else text
    if len(value) > MOST:
        raise ValidationError(f"{field.name}: at most {MOST} letters.")
    return value


def _number(text: str) -> str:
    """1,234.50 and 1234.5 are the same; a comma before one or two last digits is read as a decimal comma."""
    plain = text.replace(" ", "").replace("\u00a0", "").replace("$", "").replace("€", "").replace("£", "")
    if re.fullmatch(r"[+-]?\d+,\d{1,2}", plain) or re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+", plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise ValidationError(f"“{text[:40]}” is not a number.") from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** 16 or -int(number.as_tuple().exponent) > 4:
        raise ValidationError(f"“{text[:40]}” is too large a number, or has more than four decimals.")
    shown = format(number, "f")
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return "0" if shown in ("-0", "+0") else shown.removeprefix("+")


def _date(text: str) -> str:
    """Year first, with dots, or month first; day first only where the month could not be one."""
    day = re.sub(r"[T ]00:00(:00)?(\.0+)?Z?$", "", text)
    for form in (*DATES, AMERICAN, EUROPEAN):
        try:
            read: date = datetime.strptime(day, form).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
        if read.year >= 1800:
            return read.isoformat()
    raise ValidationError(f"“{text[:40]}” is not a date. Write it like 2026-03-31 or 3/31/2026.")


def _yes_no(text: str) -> str:
    if text.lower() in YES | NO:
        return "yes" if text.lower() in YES else "no"
    raise ValidationError(f"“{text[:40]}” is neither yes nor no.")


def _choice(field: CustomField, text: str) -> str:
    found = next((choice for choice in field.choices if choice.casefold() == text.casefold()), None)
    if found is None:
        raise ValidationError(f"“{text[:40]}” is none of the choices: {', '.join(field.choices)[:200]}.")
    return str(found)


def value_row(contact: Contact, field: CustomField, value: str) -> CustomValue:
    """An unsaved row for a canonical value."""
    number = Decimal(value) if field.kind == CustomField.Kind.NUMBER else None
    return CustomValue(contact=contact, field=field, value=value, number=number)


@transaction.atomic
def set_values(contact: Contact, values: Mapping[CustomField, str]) -> None:
    """Give a contact these canonical values; "" takes one away, fields not named stay as they are."""
    here = {row.field_id: row for row in contact.custom_values.filter(field__in=list(values))}
    for field, value in values.items():
        row = here.get(field.pk)
        if row is None and value:
            value_row(contact, field, value).save()
        elif row is not None and not value:
            row.delete()
        elif row is not None and row.value != value:
            row.value, row.number = value, value_row(contact, field, value).number
            row.save()


def values_of(contacts: Iterable[Contact]) -> dict[int, dict[int, str]]:
    """{contact: {field: canonical value}}, by primary keys, in one query."""
    found: dict[int, dict[int, str]] = {}
    rows = CustomValue.objects.filter(contact__in=[c.pk for c in contacts]).order_by()
    for contact, field, value in rows.values_list("contact_id", "field_id", "value"):
        found.setdefault(contact, {})[field] = value
    return found
