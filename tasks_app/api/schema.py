"""Schemas of JSON bodies, made from the strict serializers that read them: what is documented is what is checked."""

from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from contacts.api.bodies import Link, Moment, Strict, Whole


def of_body(form: type[Strict]) -> dict[str, Any]:
    """The schema of a body."""
    fields = form().fields
    needed = [name for name, field in fields.items() if field.required]
    schema = {
        "type": "object", "additionalProperties": False,
        "properties": {name: of_field(field) for name, field in fields.items()},
    }  # fmt: skip
    return schema | ({"required": needed} if needed else {})


def of_query(form: type[Strict]) -> list[dict[str, Any]]:
    """The parameters of an address."""
    rows = []
    for name, field in form().fields.items():
        schema = of_field(field)
        words = schema.pop("description", "")
        rows.append({"name": name, "in": "query", "required": field.required, "schema": schema, "description": words})
    return rows


def of_field(field: Any) -> dict[str, Any]:
    """The schema of one field."""
    schema: dict[str, Any] = {"type": "string"}
    if isinstance(field, serializers.ChoiceField):
        schema["enum"] = list(field.choices)
    elif isinstance(field, serializers.IntegerField | Whole):
        schema = {"type": "integer", "minimum": field.min_value, "maximum": field.max_value}
    elif isinstance(field, Moment):
        schema["format"] = "date-time"
    elif isinstance(field, serializers.CharField):
        if not field.allow_blank:
            schema["minLength"] = 1
        schema["maxLength"] = field.max_length
        if isinstance(field, Link):
            schema |= {"format": "uri", "pattern": "^https?://"}
        elif isinstance(field, serializers.EmailField) and not field.allow_blank:
            schema["format"] = "email"
    if field.help_text:
        schema["description"] = str(field.help_text)
    if field.default is not empty and field.default != "":
        schema["default"] = field.default
    return schema
