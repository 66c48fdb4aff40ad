"""Puts every request of a logged-in person into one tenant: chosen in the session, checked against their places."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import StaffMember
from contacts.tenancy.walls import in_tenant

SESSION_KEY = "tenant"


class TenantMiddleware:
    """Sets `request.tenant`, `request.member` and `request.members`, the tenant's scope, time zone and the actor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.tenant = request.member = None  # type: ignore[attr-defined]
        request.members = []  # type: ignore[attr-defined]
        if not request.user.is_authenticated:
            return self.get_response(request)
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
