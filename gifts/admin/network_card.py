"""On the page of settings, for an organization that is part of a network: whether text messages travel up (O7)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.loader import render_to_string

from contacts.models import HistoryEntry
from contacts.tenancy.models import Tenant
from contacts.tenancy.roles import CHANGE, is_allowed, require

AREA = "organization"


def card(request: HttpRequest, tenant: Tenant) -> str:
    """Nothing where there is no network; one query where there is one."""
    if tenant.parent_id is None:
        return ""
    context = {"tenant": tenant, "parent": tenant.parent, "may_change": is_allowed(request, CHANGE, AREA)}
    return render_to_string("admin/gifts/network_card.html", context, request)


def save(request: HttpRequest) -> HttpResponse:
    """Keep it, with an entry in the history."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require(request, CHANGE, AREA)
    tenant = Tenant.objects.get(pk=request.tenant.pk)  # type: ignore[attr-defined]
    wanted = request.POST.get("mobile_goes_up") == "on"
    if tenant.mobile_goes_up != wanted:
        Tenant.objects.filter(pk=tenant.pk).update(mobile_goes_up=wanted)
        changes = {"mobile_goes_up": [not wanted, wanted]}
        HistoryEntry.by_actor(
            verb=HistoryEntry.Verb.CHANGED, what="organization settings", label=tenant.name[:250], changes=changes
        ).save()
    messages.success(request, "The settings of your network are saved.")
    return redirect("admin:organization")
