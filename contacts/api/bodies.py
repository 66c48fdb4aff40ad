"""Strict bodies: JSON objects of bounded size with exactly the fields that there are, each of its own type."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework import serializers
from rest_framework.parsers import BaseParser

from contacts.api.problems import Problem

LARGEST = 64 * 1024
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)  # clocks elsewhere are wrong


class StrictJson(BaseParser):
    """JSON that others read in the same way: no NaN, no endless nesting, no endless numbers."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        text = stream.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise Problem(413, "too-large", f"A body may be {LARGEST // 1024} KB at most.")
        try:
            return json.loads(text.decode("utf-8"), parse_constant=refuse)
        except (ValueError, RecursionError):
            raise Problem(400, "not-json", "The body is not valid JSON in UTF-8.") from None


def refuse(word: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(word)


class Strict(serializers.Serializer[Any]):
    """Refuses fields that it does not know, and says which there are."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"non_field_errors": ["Send a JSON object."]})
        if unknown := [str(name)[:50] for name in data if name not in self.fields]:
            known = ", ".join(self.fields) or "none"
            raise serializers.ValidationError(
                {name: [f"There is no such field. The fields are: {known}."] for name in unknown[:20]}
            )
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """Text, and only text: a number is not quietly made one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Line(Text):
    """Text in one line: what is a name goes into subjects and lists."""

    def to_internal_value(self, data: Any) -> str:
        return " ".join(super().to_internal_value(data).split())


class Link(serializers.URLField):
    """An address on the web."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 500} | options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or (data and not data.lower().startswith(("https://", "http://"))):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Whole(serializers.IntegerField):
    """A whole number, and not a text that looks like one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class Moment(serializers.DateTimeField):
    """A time with its zone, such as 2026-05-01T12:00:00Z: neither before this century nor in the days to come."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            moment = parse_datetime(value) if isinstance(value, str) and len(value) <= 40 else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise serializers.ValidationError("Send a time with its zone, such as 2026-05-01T12:00:00Z.")
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            moment = EARLIEST - AHEAD
        if not EARLIEST <= moment <= timezone.now() + AHEAD:
            raise serializers.ValidationError("Send a time of this century that is not to come.")
        return moment
