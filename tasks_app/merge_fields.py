"""Merge fields of notes: {{ first_name }} and the like. Pure: texts and values in, texts out."""

import re
from collections.abc import Mapping

FIELDS: dict[str, str] = {
    "first_name": "their first name",
    "last_name": "their last name",
    "full_name": "their whole name",
    "amount": "the amount of the gift",
    "date": "the date of the gift",
    "campaign": "the campaign of the gift",
    "reason": "why they are thanked, in a sentence",
    "total": "all they have given",
    "gifts": "how many gifts they have made",
    "organization": "your organization's name",
}
FIELD = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)


def problem(text: str) -> str:
    """What is wrong with the fields of this text, or ""."""
    unknown = sorted({name for name in FIELD.findall(text) if name not in FIELDS})
    there_is = ", ".join(f"{{{{ {name} }}}}" for name in FIELDS)
    if unknown:
        return f"There is no field “{unknown[0]}”. There is: {there_is}."
    rest = FIELD.sub("", text)
    if "{{" in rest or "}}" in rest:
        return f"A field is not closed: it begins with {{{{ and ends with }}}}. There is: {there_is}."
    return ""


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its fields filled in. What somebody was called is never read as a field again."""
    return FIELD.sub(lambda found: values.get(found[1], ""), text)
