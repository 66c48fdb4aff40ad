"""What each role may do, as one table: the README shows the same."""

from contacts.tenancy.models import Role

# An area is a word that admin classes and views name; a role may see it, or see and change it.
SEE, CHANGE = "see", "change"

AREAS: dict[str, dict[str, str]] = {
    "contacts": {Role.VIEWER: SEE, Role.STAFF: CHANGE, Role.MANAGER: CHANGE, Role.OWNER: CHANGE},
    "lists": {Role.VIEWER: SEE, Role.STAFF: CHANGE, Role.MANAGER: CHANGE, Role.OWNER: CHANGE},
    "integrations": {Role.VIEWER: SEE, Role.STAFF: SEE, Role.MANAGER: CHANGE, Role.OWNER: CHANGE},
    "organization": {Role.VIEWER: SEE, Role.STAFF: SEE, Role.MANAGER: SEE, Role.OWNER: CHANGE},
}


def may(role: str | None, level: str, area: str) -> bool:
    """Whether this role may `see` or `change` an area; nobody without a role may do anything."""
    granted = AREAS[area].get(role or "")
    return granted is not None and (level == SEE or granted == CHANGE)
