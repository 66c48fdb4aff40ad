"""Pages about the organization itself: choosing one, its settings, and the refusal of a form of another one."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from contacts.models.history import HistoryEntry
from contacts.models.recorded import plain
from contacts.tenancy.cards import cards_for
from contacts.tenancy.examples import examples
from contacts.tenancy.forms import OrganizationForm
from contacts.tenancy.middleware import SESSION_KEY
from contacts.tenancy.models import StaffMember, Tenant
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require


def render_page(
    request: HttpRequest, template: str, title: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """A page of the staff's site that belongs to no admin class, with menu, header and title."""
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    return render(
        request, template, {**admin.site.each_context(request), "title": title, **(context or {})}, status=status
    )


@require_POST
@login_required
@never_cache
def choose_organization(request: HttpRequest) -> HttpResponse:
    """Go on in another organization where this person has a place; the first page is the same in each."""
    chosen = request.POST.get("organization", "")
    member = next((m for m in request.members if str(m.tenant_id) == chosen), None)  # type: ignore[attr-defined]
    if member is None:
        raise Http404
    request.session[SESSION_KEY] = member.tenant_id
    return go_back(request, request.POST.get("next", ""), reverse("admin:index"))


def go_back(request: HttpRequest, address: str, otherwise: str) -> HttpResponse:
    """To the page that a form came from, if it is one of ours."""
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(address if is_ours else otherwise)


def other_organization(request: HttpRequest, opened_in: StaffMember | None) -> HttpResponse:
    """Nothing was saved: the form was opened under another organization than the one chosen now."""
    context = {"opened_in": opened_in, "next": request.get_full_path()}
    return render_page(request, "organization/other.html", "Nothing was saved", context, status=409)


def organization_settings(request: HttpRequest) -> HttpResponse:
    """The organization's settings: the owner changes them, everybody else reads them."""
    require(request, SEE if request.method == "GET" else CHANGE, "organization")
    tenant = Tenant.objects.get(pk=request.tenant.pk)  # type: ignore[attr-defined]
    may_change = is_allowed(request, CHANGE, "organization")
    form = OrganizationForm(request.POST or None, instance=tenant, may_change=may_change)
    if request.method == "POST" and form.is_valid():
        before = {name: plain(form.initial[name]) for name in form.changed_data}
        form.save()
        if before:
            changes = {name: [old, plain(getattr(tenant, name))] for name, old in before.items()}
            entry = HistoryEntry.by_actor(
                verb=HistoryEntry.Verb.CHANGED, what="organization settings", label=tenant.name[:250], changes=changes
            )
            entry.save()
        messages.success(request, "The settings are saved.")
        return redirect("admin:organization")
    saved = Tenant.objects.get(pk=tenant.pk) if form.errors else tenant  # what was refused is no example
    context = {
        "form": form, "may_change": may_change, "examples": examples(saved), "cards": cards_for(request, saved),
    }  # fmt: skip
    return render_page(request, "organization/settings.html", "Organization settings", context)
