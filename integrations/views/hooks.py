"""The pages on webhooks: which addresses are told, what they were told, and sending it again. Owners change them."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminTextInputWidget

from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from integrations import hooking
from integrations.models.hook import HookDelivery, OutgoingHook
from integrations.views.page import page_of, render, staff_page

AREA = "keys"
see = staff_page(SEE, area=AREA)
press = staff_page(CHANGE, ("POST",), area=AREA)


class HookForm(forms.Form):
    """Where to, and what of."""

    url = forms.CharField(
        label="Address", max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "inputmode": "url"}),
        help_text="Beginning with https://. The program that is to be told gives you this address.",
    )  # fmt: skip
    kinds = forms.MultipleChoiceField(
        label="What is it told?", choices=OutgoingHook.Kind.choices, widget=forms.CheckboxSelectMultiple,
        initial=OutgoingHook.Kind.values, error_messages={"required": "Choose at least one."},
    )  # fmt: skip

    def clean_url(self) -> str:
        """One that we call."""
        return hooking.checked_url(self.cleaned_data["url"])


def may(request: HttpRequest) -> bool:
    """Whether this person may change webhooks."""
    return is_allowed(request, CHANGE, AREA)


@see
def show(request: HttpRequest) -> HttpResponse:
    """Every address that is told."""
    hooks, only_paused = OutgoingHook.objects.all(), request.GET.get("state") == "paused"
    if only_paused:
        hooks = hooks.exclude(paused_at=None)
    return render(request, "hooks.html", "Webhooks", hooks=hooks, only_paused=only_paused, may_change_keys=may(request))


@see
def one(request: HttpRequest, uid: Any) -> HttpResponse:
    """One address, with what it was told."""
    hook = get_object_or_404(OutgoingHook, uid=uid)
    rows = HookDelivery.objects.filter(hook=hook)
    state = request.GET.get("state", "")
    if state in HookDelivery.State.values:
        rows = rows.filter(state=state)
    return render(
        request, "hook.html", "Webhook", hook=hook, page=page_of(request, rows), states=HookDelivery.State.choices,
        state=state, may_change_keys=may(request),
    )  # fmt: skip


@never_cache
@staff_page(CHANGE, ("GET", "HEAD", "POST"), area=AREA)
def new(request: HttpRequest) -> HttpResponse:
    """Register an address. The answer to the form shows the secret, this once."""
    form = HookForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        asker: Any = request
        try:
            hook, secret = hooking.register(form.cleaned_data["url"], form.cleaned_data["kinds"], asker.user)
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            return render(request, "hook_secret.html", "Your new webhook", hook=hook, secret=secret)
    return render(request, "hook_new.html", "New webhook", form=form)


@press
def remove(request: HttpRequest, uid: Any) -> HttpResponse:
    """Tell it nothing any more."""
    hooking.remove(get_object_or_404(OutgoingHook, uid=uid))
    messages.success(request, "The webhook is removed. Nothing is sent there any more.")
    return redirect("integrations:hooks")


@press
def test(request: HttpRequest, uid: Any) -> HttpResponse:
    """See whether anybody is there."""
    hook = get_object_or_404(OutgoingHook, uid=uid)
    hooking.send_test(hook)
    if hook.paused_at:
        messages.warning(request, "The test goes out once the webhook is resumed.")
    else:
        messages.success(request, "A test is being sent. Load this page again in a moment to see the answer.")
    return redirect("integrations:hook_page", uid)


@never_cache
@press
def secret(request: HttpRequest, uid: Any) -> HttpResponse:
    """Another secret. The answer shows it, this once."""
    hook = get_object_or_404(OutgoingHook, uid=uid)
    made = hooking.renew_secret(hook)
    return render(request, "hook_secret.html", "The webhook’s new secret", hook=hook, secret=made, is_renewed=True)


@press
def resume(request: HttpRequest, uid: Any) -> HttpResponse:
    """Try a paused address again."""
    hooking.resume(get_object_or_404(OutgoingHook, uid=uid))
    messages.success(request, "It is tried again now, beginning with what has waited.")
    return redirect("integrations:hook_page", uid)


@press
def again(request: HttpRequest, uid: Any, delivery: Any) -> HttpResponse:
    """Send one message again."""
    row = get_object_or_404(HookDelivery.objects.select_related("hook"), hook__uid=uid, uid=delivery)
    hooking.send_again(row)
    if row.hook.paused_at:
        messages.warning(request, "It goes out once the webhook is resumed.")
    else:
        messages.success(request, "It is being sent again. Load this page again in a moment to see the answer.")
    return redirect("integrations:hook_page", uid)
