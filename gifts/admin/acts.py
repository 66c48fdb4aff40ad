"""The buttons on a gift's and a pledge's page. Each is a POST that does one thing and says what happened."""

from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect

from contacts.tenancy.roles import CHANGE, require
from gifts import services
from gifts.admin.forms import DonorForm, RefundForm
from gifts.models import Gift, Pledge
from gifts.money import money
from gifts.services import GiftRefused

AREA = "gifts"


def button(model: Any) -> Callable[[Callable[..., str]], Callable[..., HttpResponse]]:
    """A POST by somebody who may change gifts, on a row of this tenant."""

    def decorate(view: Callable[..., str]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def pressed(request: HttpRequest, object_id: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            require(request, CHANGE, AREA)
            row = get_object_or_404(model, pk=object_id)
            try:
                messages.success(request, view(request, row))
            except GiftRefused as why:
                messages.error(request, str(why))
            return redirect(f"admin:gifts_{model._meta.model_name}_change", object_id)

        return pressed

    return decorate


def first_error(form: Any) -> str:
    """What is wrong with what was typed."""
    return str(next(iter(form.errors.values()))[0])


@button(Gift)
def refund(request: HttpRequest, gift: Gift) -> str:
    """Given back, in part or in full."""
    form = RefundForm(request.POST)
    if not form.is_valid():
        raise GiftRefused(f"Nothing was changed. {first_error(form)}")
    done = services.refund(gift, form.cleaned_data["amount"], form.cleaned_data["on"])
    if not done.refunded:
        return "The refund is taken away: the gift counts in full again."
    if not done.stands:
        return f"{money(done.amount)} is noted as refunded in full. The gift stays on record, and counts no more."
    return f"{money(done.refunded)} is noted as refunded. {money(done.net)} of the gift still counts."


@button(Gift)
def reassign(request: HttpRequest, gift: Gift) -> str:
    """Another donor gave it."""
    form = DonorForm(request.POST)
    if not form.is_valid():
        raise GiftRefused("Nothing was changed. Choose the contact who gave it first.")
    former = gift.contact
    done = services.reassign(gift, form.cleaned_data["contact"])
    if former.pk == done.contact_id:
        return f"This is a gift of {former} already."
    return f"This is a gift of {done.contact} now. The totals of {former} and {done.contact} are right already."


@button(Pledge)
def write_off(request: HttpRequest, pledge: Pledge) -> str:
    """Expect no more of it, or expect it again."""
    if request.POST.get("verb") == "again":
        services.write_off(pledge, Decimal(0))
        return "The pledge is expected again."
    done = services.write_off(pledge)
    return f"{money(done.written_off)} is written off; nothing more is expected."
