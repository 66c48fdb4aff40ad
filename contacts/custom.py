"""Read, judge and write the values of custom fields; forms, imports, merges and exports all come here."""

import re
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from time import monotonic

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from contacts.models import Contact, CustomField, CustomValue, Tenant
from contacts.models.recorded import CHUNK
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import current_tenant

YES = {"yes", "y", "true", "1", "on", "x", "✓", "✔"}
NO = {"no", "n", "false", "0", "off"}
MOST = 500  # letters of a value
MOST_FIELDS = 60  # of one organization: more would make every form and file unreadable
PLAIN = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y")  # with dots, the day is first everywhere
IN_WORDS = ("%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y", "%d-%b-%Y")
MONTH_FIRST, DAY_FIRST = ("%m/%d/%Y", "%m-%d-%Y"), ("%d/%m/%Y", "%d-%m-%Y")
# The United States and their territories; everybody else writes the day first.
WRITE_MONTH_FIRST = {"US", "AS", "FM", "GU", "MH", "MP", "PR", "PW", "VI"}
SILENCE = timedelta(minutes=3)
MIDNIGHT = re.compile(r"[T ]00:00(:00)?(\.0+)?(Z|\+00:00)?$")


def fields() -> QuerySet[CustomField]:
    """The custom fields of the active organization, in its order, without those that are being deleted."""
    return CustomField.objects.filter(going_at=None)


def writes_day_first(tenant: Tenant | None) -> bool:
    """Whether 3/4/2026 is the third of April to the people of this organization."""
    return tenant is not None and tenant.country.upper() not in WRITE_MONTH_FIRST


def canonical(field: CustomField, text: str, day_first: bool | None = None) -> str:
    """The value as it is kept, or "" for none; ValidationError with a sentence if the field cannot hold it.

    `day_first` says how to read 3/4/2026; left out, the country of the active organization decides.
    """
    text = " ".join(text.replace("\x00", "").split())
    if not text:
        return ""
    match field.kind:
        case CustomField.Kind.NUMBER:
            return _number(text)
        case CustomField.Kind.DATE:
            return _date(text, writes_day_first(current_tenant()) if day_first is None else day_first)
        case CustomField.Kind.YES_NO:
            return _yes_no(text)
        case CustomField.Kind.CHOICE:
            return _choice(field, text)
    if len(text) > MOST:
        raise ValidationError(f"{field.name}: at most {MOST} letters; these are {len(text):,}.")
    return text


def _number(text: str) -> str:
    """1,234.50 and 1234.5 are the same; a comma before one or two last digits is read as a decimal comma."""
    plain = re.sub(r"[\s$€£'’]", "", text).replace("−", "-")
    if re.fullmatch(r"[+-]?\d+,\d{1,2}", plain) or re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+", plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    elif re.fullmatch(r"[+-]?\d{1,3}(\.\d{3}){2,}", plain):
        plain = plain.replace(".", "")
    try:
        number = Decimal(plain) if "_" not in plain else Decimal("nan")
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise ValidationError(f"“{text[:40]}” is not a number. Write it like 1234.50.")
    if not number:
        return "0"
    if not -20 < number.adjusted() < 16:
        raise ValidationError(f"“{text[:40]}” is too large or too small a number.")
    shown = format(number, "f")
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    if len(shown.partition(".")[2]) > 4:
        raise ValidationError(f"“{text[:40]}” has more than four decimals.")
    return shown


def _date(text: str, day_first: bool) -> str:
    """Year first, with dots, with the month in words, or as the country writes it; the other way round only where it
    could mean nothing else."""
    day = MIDNIGHT.sub("", text).replace(",", "")
    numbers = DAY_FIRST + MONTH_FIRST if day_first else MONTH_FIRST + DAY_FIRST
    for form in (*PLAIN, *numbers, *IN_WORDS):
        try:
            read: date = datetime.strptime(day, form).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
        if read.year >= 1800:
            return read.isoformat()
    example = "31/3/2026" if day_first else "3/31/2026"
    raise ValidationError(f"“{text[:40]}” is not a date. Write it like 2026-03-31 or {example}.")


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


@transaction.atomic(savepoint=False)
def set_values(contact: Contact, values: Mapping[CustomField, str]) -> None:
    """Give a contact these canonical values; "" takes one away, fields not named stay as they are."""
    here = {row.field_id: row for row in contact.custom_values.filter(field__in=list(values))}
    new = [value_row(contact, field, value) for field, value in values.items() if value and field.pk not in here]
    CustomValue.objects.bulk_create(new)
    for field, value in values.items():
        row = here.get(field.pk)
        if row is not None and not value:
            row.delete()
        elif row is not None and row.value != value:
            row.value, row.number = value, value_row(contact, field, value).number
            row.save()


def take_away(field_pk: int, seconds: float) -> bool:
    """Take the values of a field that is going off the contacts, each with a line in its history, and then the field
    itself; whether there is more to do after so many seconds."""
    field = CustomField.objects.filter(pk=field_pk).exclude(going_at=None).select_related("going_by").first()
    if field is None:
        return False
    until = monotonic() + seconds
    with acting(By.STAFF, "Almoner", field.going_by) if field.going_by else nullcontext():
        while pks := list(CustomValue.objects.filter(field=field).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
            CustomValue.objects.filter(pk__in=pks).delete()
            if monotonic() > until:
                CustomField.objects.filter(pk=field_pk).update(going_at=timezone.now())
                return True
        field.delete()
    return False


def left_lying() -> list[tuple[int, int]]:
    """(organization, field) of each field that is going and of which nothing was heard for a while."""
    silent = CustomField.objects.with_scopes_disabled().filter(going_at__lt=timezone.now() - SILENCE)
    return list(silent.order_by("pk").values_list("tenant_id", "pk"))


def values_of(contacts: Iterable[Contact]) -> dict[int, dict[int, str]]:
    """{contact: {field: canonical value}}, by primary keys, in one query."""
    found: dict[int, dict[int, str]] = {}
    rows = CustomValue.objects.filter(contact__in=[c.pk for c in contacts]).order_by()
    for contact, field, value in rows.values_list("contact_id", "field_id", "value"):
        found.setdefault(contact, {})[field] = value
    return found
