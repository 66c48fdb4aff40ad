"""Checks a request body as the vendor does: JSON pointers, expected and actual. The texts are UNCONFIRMED."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from tests.fakes.constant_contact.errors import invalid
from tests.fakes.values import is_address

Rule = Callable[[Any, str, list[str]], None]
NAMES = {type(None): "Null", bool: "Boolean", int: "Integer", float: "Number", str: "String",
         dict: "JSONObject", list: "JSONArray"}  # fmt: skip


def is_uuid(value: Any) -> bool:
    """36 characters, with dashes."""
    try:
        return isinstance(value, str) and len(value) == 36 and bool(uuid.UUID(value))
    except ValueError:
        return False


def _wrong(where: str, wanted: str, value: Any, errors: list[str]) -> None:
    errors.append(f"{where}: expected type: {wanted}, found: {NAMES.get(type(value), 'String')}")


def text(longest: int = 0, *, accepted: tuple[str, ...] = (), is_nullable: bool = False) -> Rule:
    def rule(value: Any, where: str, errors: list[str]) -> None:
        if value is None and is_nullable:
            return
        if not isinstance(value, str):
            _wrong(where, "String", value, errors)
        elif longest and len(value) > longest:
            errors.append(f"{where}: expected maxLength: {longest}, actual: {len(value)}")
        elif accepted and value not in accepted:
            errors.append(f"{where}: {value} is not a valid enum value")

    return rule


def address(longest: int) -> Rule:
    length = text(longest)

    def rule(value: Any, where: str, errors: list[str]) -> None:
        before = len(errors)
        length(value, where, errors)
        if len(errors) == before and not is_address(value):
            errors.append(f"{where}: [{value}] is not a valid email address")

    return rule


def number(least: int, most: int) -> Rule:
    def rule(value: Any, where: str, errors: list[str]) -> None:
        if value is None:
            return
        if not isinstance(value, int) or isinstance(value, bool):
            _wrong(where, "Integer", value, errors)
        elif not least <= value <= most:
            errors.append(f"{where}: {value} is not between {least} and {most}")

    return rule


def boolean(value: Any, where: str, errors: list[str]) -> None:
    if not isinstance(value, bool):
        _wrong(where, "Boolean", value, errors)


def identity(value: Any, where: str, errors: list[str]) -> None:
    if not is_uuid(value):
        errors.append(f"{where}: [{value}] is not a valid UUID")


def anything(value: Any, where: str, errors: list[str]) -> None:
    """Not looked at."""


def list_of(item: Rule, most: int = 0, least: int = 0) -> Rule:
    def rule(value: Any, where: str, errors: list[str]) -> None:
        if not isinstance(value, list):
            _wrong(where, "JSONArray", value, errors)
        elif most and len(value) > most:
            errors.append(f"{where}: expected maximum item count: {most}, found: {len(value)}")
        elif len(value) < least:
            errors.append(f"{where}: expected minimum item count: {least}, found: {len(value)}")
        else:
            for index, each in enumerate(value):
                item(each, f"{where}/{index}", errors)

    return rule


class Shape:
    """An object. ``readable`` keys come with a read and are let through, others must be known."""

    def __init__(self, rules: dict[str, Rule], required: tuple[str, ...] = (), readable: tuple[str, ...] = ()) -> None:
        self.rules, self.required, self.readable = rules, required, frozenset(readable)

    def __call__(self, value: Any, where: str, errors: list[str]) -> None:
        if not isinstance(value, dict):
            _wrong(where, "JSONObject", value, errors)
            return
        errors.extend(f"{where}: required key [{name}] not found" for name in self.required if name not in value)
        for key, each in value.items():
            if rule := self.rules.get(key):
                rule(each, f"{where}/{key}", errors)
            elif key not in self.readable:
                errors.append(f"{where}: extraneous key [{key}] is not permitted")


def check(rule: Rule, body: Any, *, is_strict: bool) -> None:
    """Refuse a body that does not fit; strange keys only where asked to."""
    errors: list[str] = []
    rule(body, "#", errors)
    if not is_strict:
        errors = [each for each in errors if "extraneous key" not in each]
    if errors:
        raise invalid(*errors)
