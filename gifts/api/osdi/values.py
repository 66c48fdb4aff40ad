"""Single values out of a body, each of its own type. Messages name the member, and never say what was sent in it."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from contacts.importing import values
from contacts.tenancy.walls import current_tenant
from gifts.api.osdi.errors import Wrong
from gifts.donating.said import OURS, dialled

AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?", re.ASCII)
IDENTIFIER = re.compile(r"[^\s:][^:]{0,48}:\S.{0,148}")
AHEAD = timedelta(days=1)  # clocks elsewhere are wrong
EARLIEST = 1900
MOST_IN_LIST = 100


def text(data: Any, name: str, most: int, where: str = "") -> str:
    """A text of at most so many letters; "" for null."""
    if data is None:
        return ""
    if not isinstance(data, str):
        raise Wrong(f"{where}{name} is a text.")
    found = data.strip()
    if len(found) > most:
        raise Wrong(f"{where}{name} has {most} letters at most.")
    if any(unicodedata.category(sign) == "Cc" and sign not in "\n\r\t" for sign in found):
        raise Wrong(f"{where}{name} holds a sign that cannot be shown.")
    return found


def flag(data: Any, name: str) -> bool:
    """True or false; null is false."""
    if data is None:
        return False
    if not isinstance(data, bool):
        raise Wrong(f"{name} is true or false.")
    return data


def many(data: Any, name: str) -> list[Any]:
    """A list; null is an empty one."""
    if data is None:
        return []
    if not isinstance(data, list):
        raise Wrong(f"{name} is a list.")
    if len(data) > MOST_IN_LIST:
        raise Wrong(f"{name} has {MOST_IN_LIST} entries at most.")
    return data


def thing(data: Any, name: str) -> dict[str, Any]:
    """An object; null is an empty one."""
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise Wrong(f"{name} is an object.")
    return data


def texts(data: Any, name: str, most: int) -> list[str]:
    """A list of texts, each once; empty ones are left out."""
    found = [text(one, f"Each of {name}", most) for one in many(data, name)]
    return list(dict.fromkeys(one for one in found if one))


def identifiers(data: Any) -> list[str]:
    """`system:id`, each once. Ours are none that anybody could give."""
    found = texts(data, "identifiers", 200)
    if any(not IDENTIFIER.fullmatch(one) for one in found):
        raise Wrong("Each of identifiers looks like [system name]:[id].")
    return [one for one in found if not one.lower().startswith(OURS)]


def amount(data: Any) -> Decimal:
    """An amount as a text, such as "3.00"; more than nothing."""
    if not isinstance(data, str):
        raise Wrong('Each amount in recipients is a text, such as "3.00".')
    if not AMOUNT.fullmatch(data.strip()) or not (found := Decimal(data.strip())):
        raise Wrong('Each amount in recipients is more than 0, such as "3.00", with two decimals at most.')
    return found.quantize(Decimal("0.01"))


def moment(data: Any, name: str) -> datetime | None:
    """A time, to the second; in UTC where it says no zone, and a day alone is the organization's. None for null. It may
    be long ago, and not to come."""
    if data is None:
        return None
    wrong = Wrong(f"{name} is a time, such as 2026-05-01T12:00:00Z.")
    if not isinstance(data, str) or len(data) > 40:
        raise wrong
    try:
        day = parse_date(data.strip())
        tenant = current_tenant()
        zone = tenant.tz if tenant else UTC
        found = datetime(day.year, day.month, day.day, tzinfo=zone) if day else parse_datetime(data.strip())
        if found is None:
            raise wrong
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise wrong from None
    if found.year < EARLIEST:
        raise Wrong(f"{name} is before {EARLIEST}.")
    if found > timezone.now() + AHEAD:
        raise Wrong(f"{name} is still to come.")
    return found


def email(data: Any) -> str:
    """An email address; "" for none."""
    found = values.repaired(values.tidy(text(data, "address", 254, "person.email_addresses: ")))
    if found and not values.is_email(found):
        raise Wrong("person.email_addresses: this is not an email address.")
    return found


def phone(data: Any) -> str:
    """A number as it is kept (E.164); "" for none. Some clients send it as a JSON number."""
    if isinstance(data, int) and not isinstance(data, bool) and 0 <= data < 10**16:
        data = str(data)
    written = values.tidy(text(data, "number", 60, "person.phone_numbers: "))
    if not written:
        return ""
    if found := dialled(written):
        return found
    raise Wrong(
        "person.phone_numbers: this is not a phone number. Send it with the country’s code, such as 15035550142."
    )


def primary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The entry that is said to be the primary one, or the first."""
    return next((row for row in rows if row.get("primary") is True), rows[0] if rows else {})
