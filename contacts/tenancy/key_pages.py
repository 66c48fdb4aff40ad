"""The pages on API keys: which there are, a new one, and taking one away. Owners change them, managers see them."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache

from contacts.tenancy import keys
from contacts.tenancy.key_forms import KeyForm
from contacts.tenancy.keys import ApiToken
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import render_page

AREA = "keys"
PER_PAGE = 50


def addresses(wrap: Callable[..., Any]) -> list[URLPattern]:
    """The addresses of these pages; `wrap` is the site's `admin_view`, which asks for a log-in."""
    return [
        path("keys/", wrap(show), name="api_keys"),
        path("keys/new/", wrap(new), name="api_key_new"),
        path("keys/<int:object_id>/revoke/", wrap(revoke), name="contacts_apitoken_revoke"),
    ]


def show(request: HttpRequest) -> HttpResponse:
    """Every key, with when it was last used."""
    require(request, SEE, AREA)
    rows = ApiToken.objects.select_related("created_by", "revoked_by", "joins").order_by("-created_at", "-pk")
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("p")),
        "may_change": is_allowed(request, CHANGE, AREA),
        "base_address": settings.PUBLIC_URL,
    }
    return render_page(request, "organization/keys.html", "API keys", context)


@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """Make one. The answer to the form shows it, this once."""
    require(request, CHANGE, AREA)
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user: Any = request.user
        given = form.cleaned_data
        scopes = set(given["scopes"])
        token, secret = keys.issue(given["name"], scopes, user, form.expires_at, joins=given["joins"])
        return render_page(
            request, "organization/key_shown.html", "Your new API key", {"token": token, "secret": secret}
        )
    return render_page(request, "organization/key_new.html", "New API key", {"form": form})


def revoke(request: HttpRequest, object_id: int) -> HttpResponse:
    """Take it away, after a look at what that means."""
    require(request, CHANGE, AREA)
    token = get_object_or_404(ApiToken, pk=object_id)
    if request.method == "POST":
        user: Any = request.user
        if keys.revoke(token, user):
            messages.success(request, f"The key “{token.name}” is revoked: nothing gets in with it any more.")
        return redirect("admin:api_keys")
    return render_page(request, "organization/key_revoke.html", f"Revoke “{token.name}”", {"token": token})
