"""A form to copy into a website: plain HTML and a small script that reports what is filled in, without a key (O10).

It is made here with a few choices, shown as a visitor sees it, and copied. What a choice says stands in it as text.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.views.decorators.clickjacking import xframe_options_sameorigin
from unfold.widgets import UnfoldAdminTextInputWidget

from contacts.models import Tag
from contacts.tenancy.roles import SEE, require
from contacts.tenancy.views import render_page
from gifts.donating.donations import takes_donations
from gifts.models import FundraisingPage

AREA = "gifts"
AMOUNT = re.compile(r"\d{1,7}(\.\d{1,2})?", re.ASCII)
MOST = 8
PREVIEW_POLICY = "default-src 'none'; frame-ancestors 'self'; form-action 'none'"


class Choices(forms.Form):
    """What the form asks for."""

    amounts = forms.CharField(
        label="Amounts to choose from", initial="10, 25, 50, 100", max_length=80, required=False,
        widget=UnfoldAdminTextInputWidget(), help_text="Separate them with commas. Another amount can always be typed.",
    )  # fmt: skip
    button = forms.CharField(
        label="Words on the button", initial="Send", max_length=40, widget=UnfoldAdminTextInputWidget()
    )
    thanks = forms.CharField(
        label="What it says afterwards", initial="Thank you! Your donation was noted.", max_length=200,
        widget=UnfoldAdminTextInputWidget(),
    )  # fmt: skip
    tag: Any = forms.ChoiceField(label="Tag for whoever fills it in", required=False)
    postal_code = forms.BooleanField(label="Ask for the postal code", required=False)
    phone = forms.BooleanField(label="Ask for a phone number", required=False)
    texts = forms.BooleanField(label="Ask whether text messages are welcome", required=False)
    news = forms.BooleanField(label="Ask whether news by email is welcome", required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Tag.objects.order_by("name").values_list("name", flat=True)[:500]
        self.fields["tag"].choices = [("", "No tag"), *((name, name) for name in names)]  # type: ignore[attr-defined]

    def clean_amounts(self) -> list[str]:
        """Each once, with two decimals where there are cents."""
        parts = [part.strip().lstrip("$€£ ") for part in self.cleaned_data["amounts"].split(",") if part.strip()]
        if any(not AMOUNT.fullmatch(part) or not Decimal(part) for part in parts):
            raise ValidationError("Write amounts such as 10, 25, 50.")
        if len(parts) > MOST:
            raise ValidationError(f"At most {MOST} amounts.")
        return list(dict.fromkeys(parts))


def addresses(wrap: Callable[..., Any]) -> list[URLPattern]:
    """The addresses of these pages."""
    name = "gifts_fundraisingpage_form"
    return [
        path("<int:object_id>/form/", wrap(show), name=name),
        path("<int:object_id>/form/preview/", wrap(xframe_options_sameorigin(preview)), name=f"{name}_preview"),
        path("<int:object_id>/form/code/", wrap(code), name=f"{name}_code"),
    ]


def asked(request: HttpRequest, object_id: int) -> tuple[FundraisingPage, Choices, dict[str, Any]]:
    """(the page, the choices as they were made, what the form says); what cannot be used is left at what it was."""
    require(request, SEE, AREA)
    page = get_object_or_404(FundraisingPage.objects.select_related("tenant"), pk=object_id)
    plain: dict[str, Any] = {name: field.initial for name, field in Choices().fields.items()}
    choices = Choices(request.GET) if request.GET else Choices(initial=plain)
    usual = Choices({name: value for name, value in plain.items() if value})
    usual.is_valid()
    said = dict(usual.cleaned_data)
    if request.GET:
        choices.is_valid()
        said |= choices.cleaned_data
    address = request.build_absolute_uri(f"/api/v2/fundraising_pages/{page.uid}/donations")
    return page, choices, {
        **said, "page": page, "address": address, "id": f"donation-{page.uid.hex[:8]}", "symbol": page.tenant.currency,
        "recipient": page.tenant.name,
    }  # fmt: skip


def show(request: HttpRequest, object_id: int) -> HttpResponse:
    """The choices, the form as a visitor sees it, and what is to be copied."""
    page, choices, said = asked(request, object_id)
    context = {
        "row": page, "form": choices, "code": text_of(said), "why_not": takes_donations(page, is_blind=True),
        "query": request.GET.urlencode(),
    }  # fmt: skip
    return render_page(request, "admin/gifts/fundraising/form.html", f"Form for “{page}”", context)


def preview(request: HttpRequest, object_id: int) -> HttpResponse:
    """The form alone, as a website without any style shows it. Nothing can be sent from here."""
    _, _, said = asked(request, object_id)
    html = render_to_string("admin/gifts/fundraising/preview.html", {"code": markup_of(said), "title": said["page"]})
    response = HttpResponse(html)
    response["Content-Security-Policy"] = PREVIEW_POLICY
    return response


def code(request: HttpRequest, object_id: int) -> HttpResponse:
    """What is to be copied, as text."""
    _, _, said = asked(request, object_id)
    return HttpResponse(text_of(said), content_type="text/plain; charset=utf-8")


def markup_of(said: dict[str, Any]) -> str:
    """The form without its script, in plain letters: it reads the same on a page of any encoding."""
    html = tight(render_to_string("admin/gifts/fundraising/snippet.html", said))
    return html.encode("ascii", "xmlcharrefreplace").decode()


def text_of(said: dict[str, Any]) -> str:
    """The form with its script."""
    return f"{markup_of(said)}\n{tight(render_to_string('admin/gifts/fundraising/snippet_script.html', said))}\n"


def tight(text: str) -> str:
    """Without the empty lines that choices leave."""
    return "\n".join(line for line in text.splitlines() if line.strip())
