"""The menus of the two sites, in plain words; what a role may not see is left out."""

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from contacts.tenancy import cards
from contacts.tenancy.roles import SEE, may

# title, icon, name of the address, area
STAFF = [
    ("Home", "home", "admin:index", None),
    ("Contacts", "group", "admin:contacts_contact_changelist", "contacts"),
    ("Lists and committees", "lists", "admin:contacts_contactlist_changelist", "lists"),
    ("Tags", "label", "admin:contacts_tag_changelist", "contacts"),
    ("Integrations", "sync_alt", "integrations:setup", "integrations"),
    ("Consent ledger", "verified_user", "admin:contacts_consentevent_changelist", "contacts"),
    ("History", "history", "admin:contacts_historyentry_changelist", "contacts"),
    ("Organization settings", "settings", "admin:organization", "organization"),
]

OPERATORS = [
    ("Home", "home", "index"),
    ("People who log in", "person", "contacts_user_changelist"),
    ("Organizations", "corporate_fare", "contacts_tenant_changelist"),
    ("Places and roles", "badge", "contacts_staffmember_changelist"),
    ("Log-in lockouts", "lock", "axes_accessattempt_changelist"),
    ("Waiting jobs", "pending", "django_q_ormq_changelist"),
    ("Finished jobs", "task_alt", "django_q_success_changelist"),
    ("Failed jobs", "error", "django_q_failure_changelist"),
    ("Schedules", "schedule", "django_q_schedule_changelist"),
]


def for_staff(request: HttpRequest) -> list[dict[str, Any]]:
    """The staff's menu, with the badges that apps have registered."""
    role = getattr(getattr(request, "member", None), "role", None)
    items = []
    for title, icon, name, area in STAFF:
        if area and not may(role, SEE, area):
            continue
        try:
            link = reverse(name)
        except NoReverseMatch:  # that app has no page of this name in this installation
            continue
        items.append({"title": title, "icon": icon, "link": link, "badge": cards.badge(request, name)})
    return [{"items": items}]


def for_operators(request: HttpRequest) -> list[dict[str, Any]]:
    """The operators' menu."""
    items = []
    for title, icon, name in OPERATORS:
        try:
            link = reverse(f"operators:{name}")
        except NoReverseMatch:  # the queue has no page when Redis keeps it
            continue
        items.append({"title": title, "icon": icon, "link": link})
    return [{"items": items}]
