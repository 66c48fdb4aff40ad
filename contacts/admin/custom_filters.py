"""A filter of the page of contacts for each of the organization's own fields. Each asks in a sub-query over one index,
so that nobody is listed twice, and none of them is a query of its own."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from contacts import custom
from contacts.custom_forms import fields_for
from contacts.models import CustomField, CustomValue

NOT_FILLED_IN = "none"
Kind = CustomField.Kind


def values_where(field: CustomField, *conditions: Q) -> QuerySet[Any]:
    """The contacts that have such a value, as a sub-query."""
    return CustomValue.objects.filter(*conditions, field=field).order_by().values("contact")


class OfCustomField:
    """What the filters have in common; a class is made for each field."""

    field: CustomField

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Some, or the filter would not be shown."""
        return [(NOT_FILLED_IN, "Not filled in")]

    def without(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those for whom nothing is noted."""
        return queryset.exclude(pk__in=values_where(self.field))


class OneOf(OfCustomField, DropdownFilter):
    """A choice, or yes or no."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if self.field.kind == Kind.YES_NO:
            return [("is:yes", "Yes"), ("is:no", "No"), *super().lookups(request, model_admin)]
        return [*((f"is:{choice}", choice) for choice in self.field.choices), *super().lookups(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen:
            return queryset
        if chosen == NOT_FILLED_IN:
            return self.without(queryset)
        return queryset.filter(pk__in=values_where(self.field, Q(value=chosen.removeprefix("is:"))))


class Typed(OfCustomField, SimpleListFilter):
    """Values that are typed: each subclass says into which boxes."""

    template = "admin/contacts/custom_filter.html"
    boxes: dict[str, str] = {}  # {end of the parameter: what stands in the box}
    box_type = "text"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.expected_parameters():
            given = params.pop(name, None)
            given = given[-1] if isinstance(given, list) and given else given
            if given:
                self.used_parameters[name] = given

    def expected_parameters(self) -> list[Any]:
        return [f"{self.parameter_name}{end}" for end in (*self.boxes, "_none")]

    def given(self, end: str) -> str:
        """What was typed into one box."""
        return str(self.used_parameters.get(f"{self.parameter_name}{end}", ""))

    def choices(self, changelist: Any) -> Any:
        yield {"form": self.form()}

    def form(self) -> forms.Form:
        """The boxes with what was typed, and a mark for those without a value."""
        form = forms.Form({name: self.used_parameters.get(name, "") for name in self.expected_parameters()})
        for end, hint in self.boxes.items():
            label = f"{self.title}: {hint.lower()}"
            attrs = {"placeholder": hint, "aria-label": label, "type": self.box_type}
            box = forms.CharField(required=False, label=label, widget=UnfoldAdminTextInputWidget(attrs))
            form.fields[f"{self.parameter_name}{end}"] = box
        form.fields[f"{self.parameter_name}_none"] = forms.BooleanField(
            required=False, label="Not filled in", widget=UnfoldBooleanWidget
        )
        return form

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.given("_none"):
            return self.without(queryset)
        if not any(self.given(end) for end in self.boxes):
            return queryset
        try:
            return queryset.filter(pk__in=values_where(self.field, self.condition()))
        except ValidationError:
            return queryset.none()

    def condition(self) -> Q:
        """What the values must be; ValidationError for what is no number or date."""
        return Q(value__icontains=self.given("_has"))


class Containing(Typed):
    """A text with this in it."""

    boxes = {"_has": "Contains"}


class Between(Typed):
    """Numbers from one to another, both included."""

    boxes = {"_from": "From", "_to": "To"}

    def condition(self) -> Q:
        low, high = (custom.canonical(self.field, self.given(end)) for end in self.boxes)
        return self.bounds(low, high)

    def bounds(self, low: str, high: str) -> Q:
        """Compared as numbers."""
        found = Q()
        if low:
            found &= Q(number__gte=Decimal(low))
        if high:
            found &= Q(number__lte=Decimal(high))
        return found


class Days(Between):
    """Dates from one to another: as they are kept, they sort like text."""

    box_type = "date"

    def bounds(self, low: str, high: str) -> Q:
        found = Q()
        if low:
            found &= Q(value__gte=low)
        if high:
            found &= Q(value__lte=high)
        return found


KINDS: dict[str, type[Any]] = {
    Kind.TEXT: Containing, Kind.NUMBER: Between, Kind.DATE: Days, Kind.CHOICE: OneOf, Kind.YES_NO: OneOf,
}  # fmt: skip


def custom_filters(request: HttpRequest) -> list[type[Any]]:
    """A filter for each of the organization's fields, in its order."""
    return [
        type(f"Filter{field.pk}", (KINDS[field.kind],), {
            "field": field, "title": field.name, "parameter_name": f"field_{field.pk}",
        })
        for field in fields_for(request)
    ]  # fmt: skip
