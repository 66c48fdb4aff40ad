"""What each role may do, as one table: the README shows the same."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from contacts.tenancy.models import Role

# An area is a word that admin classes and views name; a role may see it, or see and change it.
SEE, CHANGE, NOTHING = "see", "change", ""

AREAS: dict[str, dict[str, str]] = {
    "contacts": {Role.VIEWER: SEE, Role.STAFF: CHANGE, Role.MANAGER: CHANGE, Role.OWNER: CHANGE},
    "lists": {Role.VIEWER: SEE, Role.STAFF: CHANGE, Role.MANAGER: CHANGE, Role.OWNER: CHANGE},
    "gifts": {Role.VIEWER: SEE, Role.STAFF: CHANGE, Role.MANAGER: CHANGE, Role.OWNER: CHANGE},
    "thanks": {Role.VIEWER: SEE, Role.STAFF: CHANGE, Role.MANAGER: CHANGE, Role.OWNER: CHANGE},
    "rules": {Role.VIEWER: SEE, Role.STAFF: SEE, Role.MANAGER: CHANGE, Role.OWNER: CHANGE},
    "integrations": {Role.VIEWER: SEE, Role.STAFF: SEE, Role.MANAGER: CHANGE, Role.OWNER: CHANGE},
    "exports": {Role.VIEWER: NOTHING, Role.STAFF: CHANGE, Role.MANAGER: CHANGE, Role.OWNER: CHANGE},
    "fields": {Role.VIEWER: SEE, Role.STAFF: SEE, Role.MANAGER: CHANGE, Role.OWNER: CHANGE},
    "people": {Role.VIEWER: SEE, Role.STAFF: SEE, Role.MANAGER: SEE, Role.OWNER: CHANGE},
    "keys": {Role.VIEWER: NOTHING, Role.STAFF: NOTHING, Role.MANAGER: SEE, Role.OWNER: CHANGE},
    "organization": {Role.VIEWER: SEE, Role.STAFF: SEE, Role.MANAGER: SEE, Role.OWNER: CHANGE},
}

# The same in words, for the page on people and roles.
AREA_WORDS: dict[str, str] = {
    "contacts": "Contacts, households, tags, imports, Do Not Contact",
    "lists": "Lists, and who is on them",
    "gifts": "Gifts, pledges, donors and their clubs",
    "thanks": "Thank-yous: tasks and notes",
    "rules": "Milestones: whom to thank for what",
    "integrations": "Integrations: connecting, Syncs, reports",
    "exports": "Exports",
    "fields": "Custom fields",
    "people": "People and roles",
    "keys": "API keys and webhooks, for programs of others",
    "organization": "Settings of the organization",
}
ROLE_WORDS: dict[str, str] = {
    Role.OWNER: "may do everything, and decides who works here.",
    Role.MANAGER: "may change contacts, lists and gifts, connect services, send Syncs, define milestones and fields.",
    Role.STAFF: "may change contacts, lists and gifts, thank, import and export; sees the integrations, sends nothing.",
    Role.VIEWER: "may look at contacts, lists, gifts and integrations, and changes nothing.",
}
LEVEL_WORDS = {CHANGE: "change", SEE: "see", NOTHING: "–"}


def table() -> list[tuple[str, list[tuple[Role, str]]]]:
    """(area in words, [(role, what it may do there)]) for a page, the least role first."""
    return [
        (AREA_WORDS[area], [(role, LEVEL_WORDS[granted[role]]) for role in reversed(Role)])
        for area, granted in AREAS.items()
    ]


def may(role: str | None, level: str, area: str) -> bool:
    """Whether this role may `see` or `change` an area; nobody without a role may do anything."""
    granted = AREAS[area].get(role or "")
    return bool(granted) and (level == SEE or granted == CHANGE)


def is_allowed(request: HttpRequest, level: str, area: str) -> bool:
    """Whether the person behind this request may, in the organization they are in. Superusers are no exception."""
    member = getattr(request, "member", None)
    return may(member.role if member else None, level, area)


def require(request: HttpRequest, level: str, area: str) -> None:
    """Refuse with a sentence unless the person may."""
    if is_allowed(request, level, area):
        return
    member = getattr(request, "member", None)
    if member is None:
        raise PermissionDenied("You have no place in this organization.")
    able = " or ".join(Role(role).label.lower() for role in Role if may(role, level, area))
    raise PermissionDenied(
        f"As {member.get_role_display().lower()} you may not {'open' if level == SEE else 'change'} this. "
        f"Ask somebody who is {able} of {member.tenant}."
    )
