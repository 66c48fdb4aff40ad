"""Merge values: what each type of column takes, how it is kept, and what the refusal says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.fakes.mailchimp.errors import merge_fields_invalid
from tests.fakes.mailchimp.state import Audience, MergeField


def _text(field: MergeField, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("Please enter a value")
    if len(text := str(value)) > 255:
        raise ValueError("Please enter no more than 255 characters")
    return text


def _number(field: MergeField, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("Please enter a number")
    if isinstance(value, str):
        if not re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", value):
            raise ValueError("Please enter a number")
        return float(value) if "." in value else int(value)
    return value


def _address(field: MergeField, value: Any) -> Any:
    needed = ("addr1", "city", "state", "zip")
    if not isinstance(value, dict) or any(not str(value.get(part) or "").strip() for part in needed):
        raise ValueError("Please enter a complete address")
    kept = {part: str(value.get(part) or "") for part in ("addr1", "addr2", "city", "state", "zip", "country")}
    kept["country"] = kept["country"] or "US"
    return kept


def _phone(field: MergeField, value: Any) -> Any:
    digits = re.sub(r"\D", "", text := _text(field, value))
    if field.options.get("phone_format") == "US" and len(digits) != 10:
        raise ValueError("Please enter a valid phone number")
    return text


def _date(field: MergeField, value: Any) -> Any:
    text = _text(field, value)
    for form in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            return datetime.strptime(text[:10], form).date().isoformat()  # noqa: DTZ007 - a day
        except ValueError:
            continue
    raise ValueError("Please enter a valid date")


def _birthday(field: MergeField, value: Any) -> Any:
    text = _text(field, value)
    try:
        datetime.strptime(f"2000/{text}", "%Y/%m/%d")  # noqa: DTZ007 - a day
    except ValueError:
        raise ValueError("Please enter a month and a day") from None
    return text


def _url(field: MergeField, value: Any) -> Any:
    if not re.fullmatch(r"https?://[^\s/]+\S*", text := _text(field, value)):
        raise ValueError("Please enter a valid URL")
    return text


def _choice(field: MergeField, value: Any) -> Any:
    if (text := _text(field, value)) not in field.options.get("choices", []):
        raise ValueError(f"Value must be one of: {', '.join(field.options.get('choices', []))}")
    return text


def _zip(field: MergeField, value: Any) -> Any:
    if not re.fullmatch(r"\d{5}", text := _text(field, value)):
        raise ValueError("Please enter a zip code (5 digits)")
    return text


READERS: dict[str, Callable[[MergeField, Any], Any]] = {
    "text": _text, "number": _number, "address": _address, "phone": _phone, "date": _date,
    "birthday": _birthday, "url": _url, "imageurl": _url, "radio": _choice, "dropdown": _choice,
    "zip": _zip,
}  # fmt: skip


def read(
    audience: Audience, sent: Any, stored: dict[str, Any], *, skip_required: bool, null_clears: bool
) -> dict[str, Any]:
    """The values that change, ready to keep. One bad value refuses them all.

    Keys the audience does not have are ignored; "" clears a value of any type.
    """
    sent = sent or {}
    changes: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for field in audience.merge_fields.values():
        tag = field.tag
        if tag in sent:
            value = "" if sent[tag] is None and null_clears else sent[tag]
            try:
                value = value if value == "" else READERS[field.type](field, value)
            except ValueError as error:
                errors.append({"field": tag, "message": str(error)})
                continue
            if value != stored.get(tag, ""):
                changes[tag] = value
        if field.required and not skip_required and changes.get(tag, stored.get(tag, "")) == "":
            errors.append({"field": tag, "message": "Please enter a value"})
    if errors:
        raise merge_fields_invalid(errors)
    return changes
