"""The operators' site, at an address of its own: superusers, who look across organizations to run the installation."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django_scopes import scopes_disabled
from unfold.sites import UnfoldAdminSite

from contacts.tenancy.forms import OperatorLogInForm

LEFT_OUT = {"view_on_site"}


class OperatorSite(UnfoldAdminSite):
    """Users, organizations, places, lockouts and the queue. Nothing of an organization's own rows."""

    login_form = OperatorLogInForm
    index_template = "admin/operators_home.html"
    index_title = "Home"
    settings_name = "OPERATORS_UNFOLD"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Operators belong to no organization, even those who have a place in one: their pages lift the walls."""

        def across_tenants(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            with scopes_disabled():
                response = view(request, *args, **kwargs)
                return response.render() if hasattr(response, "render") and callable(response.render) else response

        return super().admin_view(across_tenants, cacheable)

    def get_urls(self) -> list[Any]:
        return [address for address in super().get_urls() if getattr(address, "name", "") not in LEFT_OUT]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """A forgotten password is replaced on the staff's site."""
        return super().each_context(request) | {"forgotten_url": reverse("admin:admin_password_reset")}

    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Each page has its own."""
        raise Http404

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> HttpResponse:
        """The menu takes its place."""
        raise Http404


operators = OperatorSite(name="operators")
