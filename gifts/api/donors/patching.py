"""JSON Patch (RFC 6902): one function, which the public conformance suite is run against. All or nothing."""

import copy
import json
from typing import Any

from jsonpatch import JsonPatch, JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointer, JsonPointerException

OPS = ("add", "remove", "replace", "move", "copy", "test")
MOST = 1_000  # operations of one patch
LARGEST = 1024 * 1024  # what `copy` may add, in letters of JSON: each one could double a document
# What the library raises for what no patch may say; the last four come from its insides, as for endless indexes.
FAILURES = (JsonPatchException, JsonPointerException, KeyError, IndexError, TypeError, ValueError, RecursionError)


class PatchRefused(Exception):
    """The patch cannot be applied; the sentence says which operation and why. `number` counts from 0."""

    def __init__(self, sentence: str, number: int | None = None) -> None:
        super().__init__(sentence)
        self.number = number


def patched(document: Any, operations: Any) -> Any:
    """A new document with all operations done, in their order; the one that is given stays as it is."""
    if not isinstance(operations, list):
        raise PatchRefused("Send a JSON array of operations (RFC 6902).")
    if len(operations) > MOST:
        raise PatchRefused(f"A patch may have {MOST:,} operations at most.")
    for number, operation in enumerate(operations):
        check(operation, number)
    now, copied = copy.deepcopy(document), 0
    for number, operation in enumerate(operations):
        try:
            if operation["op"] == "copy":
                copied += len(json.dumps(JsonPointer(operation["from"]).resolve(now)))
            if copied > LARGEST:
                raise PatchRefused("This patch copies too much.", number)
            now = JsonPatch([operation]).apply(now, in_place=True)
        except JsonPatchTestFailed:
            raise PatchRefused(
                f"Operation {number}, test of “{shown(operation['path'])}”, failed: there is another value.", number
            ) from None
        except FAILURES:
            raise PatchRefused(
                f"Operation {number}, {operation['op']} of “{shown(operation['path'])}”, is not possible.", number
            ) from None
    return now


def check(operation: Any, number: int) -> None:
    """Whether it is an operation, whatever it is done to."""
    if not isinstance(operation, dict):
        raise PatchRefused(f"Operation {number} is not an object.", number)
    op = operation.get("op")
    if op not in OPS:
        raise PatchRefused(f"Operation {number}: “op” is one of {', '.join(OPS)}.", number)
    needed = ["path"] + (["from"] if op in ("move", "copy") else [])
    for name in needed:
        pointer = operation.get(name)
        if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
            raise PatchRefused(f"Operation {number}: “{name}” is a JSON Pointer, such as /notes.", number)
    if op in ("add", "replace", "test") and "value" not in operation:
        raise PatchRefused(f"Operation {number} lacks “value”.", number)


def shown(pointer: str) -> str:
    """A pointer in a sentence."""
    return pointer[:60]
