"""The menus of the two sites, in plain words; what a role may not see is left out."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from contacts.tenancy import cards
from contacts.tenancy.roles import SEE, may

# heading, then title, icon, name of the address, area of each entry
STAFF: list[tuple[str, list[tuple[str, str, str, str]]]] = [
    ("", [
        ("Home", "home", "admin:index", ""),
        ("Thank-yous", "favorite", "admin:tasks_app_thankyou_changelist", "thanks"),
        ("Contacts", "group", "admin:contacts_contact_changelist", "contacts"),
        ("Gifts", "volunteer_activism", "admin:gifts_gift_changelist", "gifts"),
        ("Donors", "diversity_1", "admin:gifts_giving_changelist", "gifts"),
        ("Donor clubs", "workspace_premium", "admin:gifts_donorclub_changelist", "gifts"),
        ("Pledges", "handshake", "admin:gifts_pledge_changelist", "gifts"),
        ("Fundraising pages", "campaign", "admin:gifts_fundraisingpage_changelist", "gifts"),
        ("Milestones", "trophy", "admin:gifts_milestonerule_changelist", "rules"),
        ("Notes", "mail", "admin:tasks_app_note_changelist", "thanks"),
        ("Lists", "lists", "admin:contacts_contactlist_changelist", "lists"),
        ("Households", "family_home", "admin:contacts_household_changelist", "contacts"),
        ("Tags", "label", "admin:contacts_tag_changelist", "contacts"),
        ("Integrations", "sync_alt", "integrations:setup", "integrations"),
    ]),
    ("Tidy up", [
        ("Import", "upload_file", "admin:contacts_import_changelist", "contacts"),
        ("Possible duplicates", "join_inner", "admin:contacts_duplicatepair_changelist", "contacts"),
        ("Bulk changes", "checklist", "admin:contacts_bulkchange_changelist", "contacts"),
        ("Failed reports", "sync_problem", "admin:gifts_backgroundcall_changelist", "gifts"),
    ]),
    ("What happened", [
        ("Consent ledger", "verified_user", "admin:contacts_consentevent_changelist", "contacts"),
        ("History", "history", "admin:contacts_historyentry_changelist", "contacts"),
        ("Exports", "download", "admin:contacts_export_changelist", "exports"),
    ]),
    ("Organization", [
        ("People and roles", "badge", "admin:people", "people"),
        ("Custom fields", "text_fields", "admin:contacts_customfield_changelist", "fields"),
        ("API keys", "key", "admin:api_keys", "keys"),
        ("Webhooks", "webhook", "integrations:hooks", "keys"),
        ("Settings", "settings", "admin:organization", "organization"),
    ]),
]  # fmt: skip

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
    groups = [{"title": heading, "items": list(_entries(request, role, rows))} for heading, rows in STAFF]
    return [group | {"separator": bool(group["title"])} for group in groups if group["items"]]


def _entries(request: HttpRequest, role: str | None, rows: list[tuple[str, str, str, str]]) -> Iterator[dict[str, Any]]:
    """The entries of one group that this role may see."""
    for title, icon, name, area in rows:
        if area and not may(role, SEE, area):
            continue
        try:
            link = reverse(name)
        except NoReverseMatch:  # that app has no page of this name in this installation
            continue
        yield {"title": title, "icon": icon, "link": link, "badge": cards.badge(request, name)}


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
