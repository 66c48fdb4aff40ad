"""The filters of the pages of gifts and pledges."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.db.models import F, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from contacts.admin.custom_filters import Typed
from contacts.models import Contact, Import, ImportRow
from contacts.tenancy.changelist import is_number
from gifts.models import Gift, Pledge

MOST_CAMPAIGNS = 200


class Between(Typed):
    """Values of one field from one to another, both included."""

    boxes = {"_from": "From", "_to": "To"}
    column = ""
    parse: Callable[[Any], Any]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Something, or the filter would not be shown."""
        return [("any", "Any")]

    def expected_parameters(self) -> list[Any]:
        return [f"{self.parameter_name}{end}" for end in self.boxes]

    def form(self) -> forms.Form:
        form = super().form()
        del form.fields[f"{self.parameter_name}_none"]
        return form

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            for end, lookup in (("_from", "gte"), ("_to", "lte")):
                if given := self.given(end).strip():
                    queryset = queryset.filter(**{f"{self.column}__{lookup}": self.parse(given)})
        except (ValueError, InvalidOperation):
            return queryset.none()
        return queryset


def an_amount(text: str) -> Decimal:
    """What was typed into a box, such as 1,000 or $50. ValueError for what is none."""
    found = Decimal(text.replace(",", "").lstrip("$€£ "))
    if not found.is_finite() or abs(found) >= Decimal(10) ** 12:
        raise ValueError
    return found


class GivenBetween(Between):
    title, parameter_name, column, box_type = "date", "date", "received_on", "date"
    parse = staticmethod(date.fromisoformat)


class AmountBetween(Between):
    title, parameter_name, column = "amount", "amount", "amount"
    parse = staticmethod(an_amount)


class TotalBetween(Between):
    title, parameter_name, column = "given in all", "total", "total"
    parse = staticmethod(an_amount)


class NumberBetween(Between):
    title, parameter_name, column = "number of gifts", "number", "number"
    parse = staticmethod(an_amount)


class LastBetween(Between):
    title, parameter_name, column, box_type = "last gift", "last", "last_on", "date"
    parse = staticmethod(date.fromisoformat)


class CampaignFilter(DropdownFilter):
    """One of the organization's campaigns."""

    title, parameter_name = "campaign", "campaign"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Gift.objects.exclude(campaign="").order_by("campaign").values_list("campaign", flat=True).distinct()
        return [(name, name) for name in rows[:MOST_CAMPAIGNS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(campaign=self.value()) if self.value() else queryset


class RefundFilter(DropdownFilter):
    """What became of it."""

    title, parameter_name = "refund", "refund"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("none", "Not refunded"), ("part", "Refunded in part"), ("whole", "Refunded in full"),
                ("gone", "Gone at its source")]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        refunded = {
            "none": Q(refunded=0), "part": Q(refunded__gt=0, refunded__lt=F("amount")),
            "whole": Q(refunded__gt=0, refunded=F("amount")), "gone": Q(gone_on__isnull=False),
        }  # fmt: skip
        return queryset.filter(refunded[self.value()]) if self.value() in refunded else queryset


class OfOne(DropdownFilter):
    """The rows of one other row, which the address names; it is shown only then."""

    model: Any = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(str(self.parameter_name), "")
        found = self.model.objects.filter(pk=asked).first() if is_number(asked) else None
        return [(asked, str(found))] if found else []

    def has_output(self) -> bool:
        """Also for one that is not here, so that it can be cleared."""
        return bool(self.value()) or super().has_output()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (chosen := self.value()):
            return queryset
        return queryset.filter(**{f"{self.column}_id": chosen}) if is_number(chosen) else queryset.none()

    column = ""


class DonorFilter(OfOne):
    title, parameter_name, column, model = "donor", "donor", "contact", Contact


class PledgeFilter(OfOne):
    title, parameter_name, column, model = "pledge", "pledge", "pledge", Pledge


class ImportFilter(DropdownFilter):
    """What one file has brought in, as long as its rows are kept; the page of the import leads here."""

    title, parameter_name = "import", "import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get("import", "")
        found = Import.objects.filter(pk=asked).first() if is_number(asked) else None
        return [(asked, str(found))] if found else []

    def has_output(self) -> bool:
        return bool(self.value()) or super().has_output()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (chosen := self.value()):
            return queryset
        if not is_number(chosen):
            return queryset.none()
        rows = ImportRow.objects.filter(data_import=chosen, data_import__kind="gifts").exclude(outcome="refused")
        ids = rows.order_by().annotate(of=KeyTextTransform("1", KeyTransform("source_id", "changes"))).values("of")
        return queryset.filter(source="csv", source_place="", source_id__in=ids)


class BalanceFilter(DropdownFilter):
    """Pledges by what is still to come."""

    title, parameter_name = "balance", "balance"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Something is still to come"), ("settled", "Nothing is to come"),
                ("written_off", "Written off")]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "open":
            return queryset.filter(balance__gt=0)
        if self.value() == "settled":
            return queryset.filter(balance__lte=0)
        return queryset.filter(written_off__gt=0) if self.value() == "written_off" else queryset
