"""The pages on which an organization says what else it wants to know about its contacts."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, IntegerField, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminTextareaWidget

from contacts import custom, jobs
from contacts.admin.bulk import people
from contacts.exporting.columns import TAKEN
from contacts.models import CustomField, CustomValue
from contacts.tenancy.admin import TenantAdmin
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.together import SeenForm
from contacts.tenancy.views import render_page

MOST_CHOICES = 200
LONGEST_CHOICE = 100
KINDS = {
    CustomField.Kind.TEXT: "Such as a nickname or an allergy.",
    CustomField.Kind.NUMBER: "Can be compared: from 10 to 20.",
    CustomField.Kind.DATE: "Such as a birthday or the end of a membership.",
    CustomField.Kind.CHOICE: "One of a few words that you fix, such as S, M, L.",
    CustomField.Kind.YES_NO: "Yes, no, or not known.",
}


class CustomFieldForm(SeenForm):
    """One field. What is in use is not taken away."""

    choices = forms.CharField(
        required=False, strip=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text="One a line, in the order in which they are offered. Only for “One of several choices”.",
    )  # fmt: skip

    class Meta:
        model = CustomField
        fields = ["name", "kind", "choices", "help_text"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: CustomField = self.instance
        self.initial["choices"] = "\n".join(map(str, field.choices or []))
        self.count = field.values.count() if field.pk else 0  # type: ignore[attr-defined]
        if self.count and "kind" in self.fields:
            have = "has" if self.count == 1 else "have"
            reason = (
                f"It stays as it is, because {people(self.count)} {have} a value. For another kind, make a new field."
            )
            self.fields["kind"].disabled, self.fields["kind"].help_text = True, reason

    def _is_watched(self, name: str) -> bool:
        """The choices as well, although their field is our own."""
        return name == "choices" or super()._is_watched(name)

    def clean_name(self) -> str:
        """A name that no column of ours has: files would have two of them."""
        name = " ".join(self.cleaned_data["name"].split())
        if name.casefold() in TAKEN:
            raise ValidationError(f"Contacts have “{name}” already. Choose another name, so that nobody mixes them up.")
        if custom.fields().filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError("There is a field of that name.")
        return name

    def clean_choices(self) -> list[str]:
        """One a line, each once; none that somebody has is gone."""
        lines = [" ".join(line.split()) for line in self.cleaned_data["choices"].replace("\x00", "").splitlines()]
        choices = list(dict.fromkeys(filter(None, lines)))
        if len({choice.casefold() for choice in choices}) < len(choices):
            raise ValidationError("The same choice is there twice, written in small and in capital letters.")
        if long := next((choice for choice in choices if len(choice) > LONGEST_CHOICE), None):
            raise ValidationError(f"“{long[:40]}…” is too long: a choice has at most {LONGEST_CHOICE} letters.")
        if len(choices) > MOST_CHOICES:
            raise ValidationError(f"There are {len(choices)} choices; at most {MOST_CHOICES} can be offered.")
        self.refuse_what_is_in_use(choices)
        return choices

    def refuse_what_is_in_use(self, choices: list[str]) -> None:
        """A choice that somebody has can go only after they have another."""
        field: CustomField = self.instance
        if not (field.pk and self.count and field.kind == CustomField.Kind.CHOICE):
            return
        gone = [choice for choice in field.choices if choice not in choices]
        uses = dict(
            CustomValue.objects.filter(field=field, value__in=gone).order_by().values_list("value")
            .annotate(Count("pk")).values_list("value", "pk__count")
        )  # fmt: skip
        refusals = [in_use(field, choice, uses[choice]) for choice in gone if choice in uses]
        if refusals:
            raise ValidationError(refusals)

    def clean(self) -> dict[str, Any] | None:
        """Choices for a choice, and for nothing else."""
        cleaned = super().clean()
        if self.cleaned_data.get("kind") != CustomField.Kind.CHOICE:
            self.cleaned_data["choices"] = []
        elif "choices" in self.cleaned_data and len(self.cleaned_data["choices"]) < 2:
            self.add_error("choices", "Write at least two choices, one a line.")
        if not self.instance.pk and custom.fields().count() >= custom.MOST_FIELDS:
            raise ValidationError(
                f"There are {custom.MOST_FIELDS} fields already, which is the most that an organization can have. "
                "Delete one that nobody needs, or use tags."
            )
        return cleaned


def in_use(field: CustomField, choice: str, count: int) -> ValidationError:
    """Why a choice cannot be removed, with the way to those who have it."""
    query = urlencode({f"field_{field.pk}": f"is:{choice}"})
    return ValidationError(
        format_html(
            '“{}” cannot be removed, because {} {} it. <a class="al-link" href="{}?{}">Show them</a>, give them '
            "another choice, then remove it.",
            choice, people(count), "has" if count == 1 else "have",
            reverse("admin:contacts_contact_changelist"), query,
        )
    )  # fmt: skip


@admin.register(CustomField)
class CustomFieldAdmin(TenantAdmin):
    """The organization's own fields, in their order."""

    area = "fields"
    form = CustomFieldForm
    fields = ["name", "kind", "choices", "help_text"]
    conditional_fields = {"choices": "kind == 'choice'"}
    empty_sentence = "Add what else you want to know about people, such as a T-shirt size or a birthday."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(going_at=None)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        move_url = path("<int:pk>/move/", wrap(move), name="contacts_customfield_move")
        return [move_url, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """All of them on one page, in order, with how many contacts have a value."""
        require(request, SEE, self.area)
        counts = CustomValue.objects.filter(field=OuterRef("pk")).order_by().values("field")
        filled = Subquery(counts.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
        rows = list(self.get_queryset(request).annotate(filled=Coalesce(filled, 0)))
        context = {
            "opts": self.opts,
            "rows": rows,
            "kinds": [(kind.label, example) for kind, example in KINDS.items()],
            "may_change": is_allowed(request, CHANGE, self.area),
            "is_full": len(rows) >= custom.MOST_FIELDS,
            "most": custom.MOST_FIELDS,
        }
        return render_page(request, "admin/contacts/custom_fields.html", "Custom fields", context)

    def save_model(self, request: HttpRequest, obj: CustomField, form: Any, change: bool) -> None:
        """A new field comes last."""
        if not change:
            last = custom.fields().aggregate(last=Max("position"))["last"]
            obj.position = 0 if last is None else min(last + 1, 32_000)
        super().save_model(request, obj, form, change)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Counted, not listed."""
        count = sum(obj.values.count() for obj in objs)
        sentence = f"{people(count)} will lose what is noted there." if count else "Nobody has a value in it."
        return [sentence], {"fields": len(objs), "values": count}, set(), []

    def delete_model(self, request: HttpRequest, obj: CustomField) -> None:
        """It is out of sight at once; its values go in the background, each with a line in its contact's history."""
        obj.going_at, obj.going_by = timezone.now(), request.user  # type: ignore[assignment]
        obj.save()
        jobs.soon("take_field_away", obj.tenant_id, obj.pk)


def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a field one place up or down; the form says which."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require(request, CHANGE, "fields")
    with transaction.atomic():
        field = get_object_or_404(custom.fields(), pk=pk)
        rows = list(custom.fields())
        here = rows.index(field)
        there = here + (1 if request.POST.get("to") == "down" else -1)
        if 0 <= there < len(rows):
            rows[here], rows[there] = rows[there], rows[here]
            for position, row in enumerate(rows):
                if row.position != position:
                    row.position = position
                    row.save(update_fields=["position"])
            messages.success(request, f"“{field}” is number {there + 1} now.")
    return redirect("admin:contacts_customfield_changelist")
