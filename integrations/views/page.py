"""What all pages of this app share: who may come in, the staff site's frame, pages of long lists."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import render_page
from integrations.models import Connection
from integrations.provider_kit.base import Can
from integrations.providers import all_providers

AREA = "integrations"
PER_PAGE = 50

View = Callable[..., HttpResponseBase]


def may_change(request: HttpRequest) -> bool:
    """Whether this person may press the buttons."""
    return is_allowed(request, CHANGE, AREA)


def staff_page(
    level: str = SEE, methods: tuple[str, ...] = ("GET", "HEAD"), area: str = AREA
) -> Callable[[View], View]:
    """A page for people with a place in the active organization. Anything that changes something is a POST."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated and request.headers.get("HX-Request"):
                return HttpResponse(headers={"HX-Refresh": "true"})  # a part of a page must not become a log-in form
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            require(request, level, area)
            return view(request, *args, **kwargs)

        return require_http_methods(methods)(checked)

    return decorate


def see_page(view: View) -> View:
    """A page that everybody with a place here may look at."""
    return staff_page()(view)


def press(view: View) -> View:
    """A button: POST, for those who may change integrations."""
    return staff_page(CHANGE, ("POST",))(view)


def render(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """A page in the staff site's frame."""
    return render_page(request, f"integrations/{template}", title, {"may_change": may_change(request), **context})


def provider_or_404(key: str) -> Any:
    """The provider class of this key."""
    if key not in all_providers():
        raise Http404
    return all_providers()[key]


def connection_or_404(key: str) -> Connection:
    """The active organization's connection to this provider."""
    provider_or_404(key)
    connection = Connection.objects.filter(provider=key).first()
    if connection is None:
        raise Http404
    return connection


def lists_or_404(key: str) -> Connection:
    """The same, for pages about lists: only of a service that takes lists."""
    if Can.PUSH_LISTS not in provider_or_404(key).can:
        raise Http404
    return connection_or_404(key)


def page_of(request: HttpRequest, rows: "QuerySet[Any]", per_page: int = PER_PAGE) -> Page:
    """The page that the address asks for; a number out of range gives the nearest one."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


def kept_query(request: HttpRequest, **changes: str) -> str:
    """The present filters as a query string, without the page, with some changed; ends where `page=` can follow."""
    kept = {key: value for key, value in request.GET.items() if key != "page" and value}
    kept |= changes
    return urlencode({key: value for key, value in kept.items() if value})
