"""Checks a request body against the vendor's description: presence, types, accepted values, lengths."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from tests.fakes import values

Errors = list[dict[str, str]]
Rule = Callable[[Any, str, Errors], None]

NAMES = {type(None): "NULL", bool: "boolean", int: "integer", float: "number", str: "string",
         dict: "object", list: "array"}  # fmt: skip


def _wrong(where: str, wanted: str, value: Any, errors: Errors) -> None:
    found = NAMES.get(type(value), "string")
    errors.append({"field": where, "message": f"Schema describes {wanted}, {found} found instead"})


def text(longest: int = 0) -> Rule:
    def rule(value: Any, where: str, errors: Errors) -> None:
        if not isinstance(value, str):
            _wrong(where, "string", value, errors)
        elif longest and len(value) > longest:
            errors.append({"field": where, "message": f"This value may not be longer than {longest} characters"})

    return rule


def boolean(value: Any, where: str, errors: Errors) -> None:
    if not isinstance(value, bool):
        _wrong(where, "boolean", value, errors)


def integer(value: Any, where: str, errors: Errors) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        _wrong(where, "integer", value, errors)


def number(value: Any, where: str, errors: Errors) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        _wrong(where, "number", value, errors)


def one_of(*accepted: str) -> Rule:
    listed = ", ".join(accepted)

    def rule(value: Any, where: str, errors: Errors) -> None:
        if not isinstance(value, str):
            _wrong(where, "string", value, errors)
        elif value not in accepted:
            message = f"Data presented is not one of the accepted values: {listed}."
            errors.append({"field": where, "message": message})

    return rule


def moment(value: Any, where: str, errors: Errors) -> None:
    if not isinstance(value, str):
        _wrong(where, "string", value, errors)
    elif value and read_time(value) is None:
        errors.append({"field": where, "message": "Data presented is not a valid date and time."})


def internet_address(value: Any, where: str, errors: Errors) -> None:
    if not isinstance(value, str):
        _wrong(where, "string", value, errors)
    elif value:
        try:
            ip_address(value)
        except ValueError:
            errors.append({"field": where, "message": "Data presented is not a valid IP address."})


def read_time(value: str) -> int | None:
    """This vendor's times are whole seconds."""
    found = values.read_time(value)
    return None if found is None else int(found)


def list_of(item: Rule, most: int = 0) -> Rule:
    def rule(value: Any, where: str, errors: Errors) -> None:
        if not isinstance(value, list):
            _wrong(where, "array", value, errors)
        elif most and len(value) > most:
            message = f"Array contains more items than the maximum of {most}"
            errors.append({"field": where, "message": message})
        else:
            for index, each in enumerate(value):
                item(each, f"{where}.item:{index}", errors)

    return rule


def mapping(value: Any, where: str, errors: Errors) -> None:
    """An object with any keys. An empty array passes too: that is how PHP writes an empty object."""
    if not isinstance(value, dict) and value != []:
        _wrong(where, "object", value, errors)


def shape(rules: dict[str, Rule], required: tuple[str, ...] = ()) -> Rule:
    """An object with known keys; keys the vendor does not know are ignored, as the vendor does."""

    def rule(value: Any, where: str, errors: Errors) -> None:
        if not isinstance(value, dict):
            _wrong(where, "object", value, errors)
            return
        if missing := [name for name in required if name not in value]:
            message = f"Required fields were not provided: {', '.join(missing)}"
            errors.append({"field": where, "message": message})
        prefix = where + "." if where else ""
        for key, each in value.items():
            if check := rules.get(key):
                check(each, prefix + key, errors)

    return rule
