"""Puts every request of a logged-in person into one tenant: chosen in the session, checked against their places."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import StaffMember
from contacts.tenancy.tags import FIELD
from contacts.tenancy.walls import in_tenant

SESSION_KEY = "tenant"
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
# Forms that are right whatever organization they were opened under.
ANYWHERE = {"choose-organization", "join", "admin:login", "admin:logout"}


class TenantMiddleware:
    """Sets `request.tenant`, `request.member` and `request.members`, the tenant's scope, time zone and the actor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.tenant = request.member = None  # type: ignore[attr-defined]
        request.members = []  # type: ignore[attr-defined]
        if request.path.startswith("/api/") or not request.user.is_authenticated:
            return self.get_response(request)  # a program says by its key whose it is; nobody's session counts there
        members = list(StaffMember.of_user(request.user).order_by("tenant__name"))  # type: ignore[arg-type]
        request.members = members  # type: ignore[attr-defined]
        with acting(By.STAFF, "Almoner", request.user):
            if not members:
                return self.get_response(request)
            chosen = request.session.get(SESSION_KEY)
            member = next((m for m in members if m.tenant_id == chosen), members[0])
            request.member, request.tenant = member, member.tenant  # type: ignore[attr-defined]
            with in_tenant(member.tenant), timezone.override(ZoneInfo(member.tenant.time_zone)):
                return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse a form that was opened under one organization and sent while another is chosen."""
        members: list[StaffMember] = request.members  # type: ignore[attr-defined]
        if request.method in SAFE or request.member is None or request.resolver_match is None:  # type: ignore[attr-defined]
            return None
        if request.resolver_match.view_name in ANYWHERE or request.path.startswith(f"/{settings.OPERATORS_PATH}"):
            return None
        sent_from = request.POST.get(FIELD)
        if sent_from == str(request.tenant.pk) or (sent_from is None and len(members) == 1):  # type: ignore[attr-defined]
            return None
        from contacts.tenancy.views import other_organization

        return other_organization(request, next((m for m in members if str(m.tenant_id) == sent_from), None))
