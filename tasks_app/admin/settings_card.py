"""What the organization wants of thank-yous: a part of the page of settings."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.loader import render_to_string
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from contacts.models import HistoryEntry
from contacts.models.recorded import plain
from contacts.tenancy.models import Tenant
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import render_page
from gifts.money import money
from tasks_app.asking import ring
from tasks_app.models import NoteTemplate, ThanksSettings

AREA = "rules"
WIDGETS: dict[str, Any] = {
    "due_days": UnfoldAdminIntegerFieldWidget, "cool_down_days": UnfoldAdminIntegerFieldWidget,
    "minimum": UnfoldAdminDecimalFieldWidget, "one_per": UnfoldAdminSelectWidget, "new_gifts": UnfoldAdminSelectWidget,
    "gift_action": UnfoldAdminSelectWidget,
}  # fmt: skip


class ThanksForm(forms.ModelForm):
    """All of it; read by those who may not change it."""

    template = forms.ModelChoiceField(
        queryset=NoteTemplate.objects.none(), required=False, label="Words of notes", empty_label="The first template",
        help_text="For notes that are sent by themselves.", widget=UnfoldAdminSelectWidget,
    )  # fmt: skip

    class Meta:
        model = ThanksSettings
        fields = ["new_gifts", "minimum", "gift_action", "one_per", "due_days", "cool_down_days"]
        widgets = WIDGETS

    def __init__(self, *args: Any, may_change: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["new_gifts", "minimum", "gift_action", "template", "one_per"])
        self.fields["template"].queryset = NoteTemplate.objects.order_by("name")  # type: ignore[attr-defined]
        self.initial.setdefault("template", self.instance.template_id)
        for field in self.fields.values():
            field.disabled = not may_change


def sentence(settings: ThanksSettings) -> str:
    """What they mean."""
    if settings.new_gifts == ThanksSettings.Gifts.NONE:
        return "New gifts make no thank-yous; milestones do, as their rules say."
    which = "Every new gift" if settings.new_gifts == ThanksSettings.Gifts.EVERY else (
        f"A new gift of at least {money(settings.minimum, short=True)}"
    )  # fmt: skip
    if settings.gift_action == ThanksSettings.Do.NOTE:
        return f"{which} is thanked for with a note by email."
    days = settings.due_days
    due = "the same day" if not days else f"within {days} day{'' if days == 1 else 's'}"
    return f"{which} asks somebody to thank the donor {due}."


def context_of(request: HttpRequest, form: ThanksForm, settings: ThanksSettings) -> dict[str, Any]:
    """For the card and for the page that says what is wrong."""
    return {"form": form, "may_change": is_allowed(request, CHANGE, AREA), "sentence": sentence(settings)}


def card(request: HttpRequest, tenant: Tenant) -> str:
    """On the page of settings; three queries."""
    if not is_allowed(request, SEE, AREA):
        return ""
    settings = ThanksSettings.now()
    form = ThanksForm(instance=settings, may_change=is_allowed(request, CHANGE, AREA), prefix="thanks")
    return render_to_string("admin/thanks/settings_card.html", context_of(request, form, settings), request)


def save(request: HttpRequest) -> HttpResponse:
    """Keep them, with an entry in the history."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require(request, CHANGE, AREA)
    settings = ThanksSettings.now()
    form = ThanksForm(request.POST, instance=settings, may_change=True, prefix="thanks")
    if not form.is_valid():
        context = context_of(request, form, ThanksSettings.now())
        return render_page(request, "admin/thanks/settings_page.html", "Settings of thank-yous", context, status=422)
    before = {name: plain(form.initial.get(name)) for name in form.changed_data}
    settings.template = form.cleaned_data["template"]
    form.save()
    if "one_per" in before:
        ring("settle_all")
    if before:
        changes = {name: [old, plain(getattr(settings, name))] for name, old in before.items()}
        what = str(ThanksSettings._meta.verbose_name)
        HistoryEntry.by_actor(
            verb=HistoryEntry.Verb.CHANGED, what=what, label="Settings of thank-yous", changes=changes
        ).save()
    messages.success(request, f"The settings are saved. {sentence(settings)}")
    return redirect("admin:organization")
