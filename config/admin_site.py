"""The staff's site at /admin/: people with a place in an organization, and the product's own pages only."""

from typing import Any

from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from unfold.sites import UnfoldAdminSite

from config import passwords
from contacts.tenancy import key_pages, people_pages
from contacts.tenancy.admin import TenantAdmin
from contacts.tenancy.cards import panels_for
from contacts.tenancy.forms import StaffLogInForm, no_place_sentence
from contacts.tenancy.models import TenantOwned
from contacts.tenancy.views import organization_settings


class StaffSite(UnfoldAdminSite):
    """Django's default site: apps register here with a plain `@admin.register`, on a `TenantAdmin`."""

    login_form = StaffLogInForm
    index_template = "admin/home.html"
    index_title = "Home"
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")  # it lists every row; our own bulk actions count and explain

    def register(self, model_or_iterable: Any, admin_class: type[ModelAdmin] | None = None, **options: Any) -> None:
        """The door: what third parties register on the default site (queue, users, lockouts) is not let in."""
        if admin_class is not None and issubclass(admin_class, TenantAdmin):
            super().register(model_or_iterable, admin_class, **options)
            return
        models = model_or_iterable if isinstance(model_or_iterable, list | tuple) else [model_or_iterable]
        if any(issubclass(model, TenantOwned) for model in models):
            raise ImproperlyConfigured(f"{admin_class} must derive from TenantAdmin to stand on the staff's site.")

    def has_permission(self, request: HttpRequest) -> bool:
        """An active person with a place; a superuser without one is not let in."""
        return request.user.is_active and getattr(request, "member", None) is not None

    def get_urls(self) -> list[Any]:
        ours = [
            path("organization/", self.admin_view(organization_settings), name="organization"),
            *people_pages.addresses(self.admin_view),
            *key_pages.addresses(self.admin_view),
            path("forgotten/", passwords.Forgotten.as_view(), name="admin_password_reset"),
            path("forgotten/sent/", passwords.Sent.as_view(), name="password_reset_done"),
            path("forgotten/<uidb64>/<token>/", passwords.Choose.as_view(), name="password_reset_confirm"),
            path("forgotten/done/", passwords.Done.as_view(), name="password_reset_complete"),
        ]
        return ours + [address for address in super().get_urls() if getattr(address, "name", "") not in LEFT_OUT]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Log in; somebody who is logged in but has no place here is told so."""
        context = dict(extra_context or {})
        stranger = request.user.is_authenticated and not self.has_permission(request)
        if stranger:
            context["sentence"] = no_place_sentence(request.user)  # type: ignore[arg-type]
        response = super().login(request, context)
        if stranger and request.method == "GET":
            response.status_code = 403
        return response

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The first page: what the apps have to tell."""
        return super().index(request, {"panels": panels_for(request), **(extra_context or {})})

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Choices as they say themselves what choosing them means."""
        return Choices.as_view(admin_site=self)(request)  # type: ignore[return-value]

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The theme's own search remembers its answers per person, not per organization: it stays closed."""
        raise Http404

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> HttpResponse:
        """The menu takes the place of Django's page per app."""
        raise Http404

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Who is here, for the header."""
        return super().each_context(request) | {
            "member": getattr(request, "member", None),
            "members": getattr(request, "members", []),
            "forgotten_url": reverse("admin:admin_password_reset"),
        }


class Choices(AutocompleteJsonView):
    """The rows that a search field offers."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        """Its name, for lists with a word about what they are kept in step with."""
        words = obj.in_choices() if hasattr(obj, "in_choices") else str(obj)
        return {"id": str(getattr(obj, to_field_name)), "text": words}


LEFT_OUT = {"view_on_site"}
