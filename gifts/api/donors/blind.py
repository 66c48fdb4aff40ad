"""What a key may do and is told that lacks the right to read: it writes, and learns nothing of a donor but the id and
the version."""

from typing import Any

from contacts.api.problems import Problem
from gifts.api.donors import READ
from gifts.api.donors.members import READ_ONLY

TOLD = ("sys_version",)  # and the id
TESTED = "/sys_version"


def refuse_reading(operations: Any) -> None:
    """Raises 403 for a patch whose end would tell what stands in the donor. What is no patch is refused later."""
    for number, operation in enumerate(operations if isinstance(operations, list) else ()):
        if isinstance(operation, dict) and reads(operation):
            sentence = (
                f"Operation {number} reads, and this key lacks the scope “{READ}”. It may add, remove and replace what "
                f"programs write, and test {TESTED}."
            )
            raise Problem(403, "wrong-scope", f"Nothing was done. {sentence}",
                          [{"path": f"/{number}", "message": sentence}])  # fmt: skip


def reads(operation: dict[str, Any]) -> bool:
    """Whether something can be learned from it: by a test, by an error about what was copied, or since a member of ours
    may only be “changed” into what it is."""
    op, path = operation.get("op"), operation.get("path")
    if op in ("copy", "move"):
        return True
    if op == "test":
        return path != TESTED
    member = path.split("/")[1] if isinstance(path, str) and path.startswith("/") else ""
    return member == "id" or member in READ_ONLY
