"""The filters of the page of contacts. Each asks in a sub-query, so that nobody is listed twice."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from contacts.admin.history import local
from contacts.importing import keeping
from contacts.importing.words import APPLIED
from contacts.models import ContactList, ContactTag, EmailAddress, Import, ImportRow, ListMembership, Tag
from contacts.tenancy.changelist import is_number
from contacts.tenancy.scoped import rows_of_tenant


class YesNoFilter(DropdownFilter):
    """Whether a flag is set."""

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("yes", "no"):
            return queryset.filter(**{self.parameter_name: self.value() == "yes"})
        return queryset


class DoNotContactFilter(YesNoFilter):
    title, parameter_name = "Do Not Contact", "do_not_contact"


class SynchronizeFilter(YesNoFilter):
    title, parameter_name = "Synchronized", "synchronize"


class OnListFilter(DropdownFilter):
    """On one list of this tenant."""

    title, parameter_name = "list", "list"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[int, str]]:
        return [(row.pk, row.name) for row in rows_of_tenant(ContactList, request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (chosen := self.value()):
            return queryset
        if not is_number(chosen):
            return queryset.none()
        return queryset.filter(pk__in=ListMembership.objects.filter(contact_list=chosen).values("contact"))


class TagFilter(DropdownFilter):
    """With one tag of this tenant."""

    title, parameter_name = "tag", "tag"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[int, str]]:
        return [(row.pk, row.name) for row in rows_of_tenant(Tag, request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (chosen := self.value()):
            return queryset
        if not is_number(chosen):
            return queryset.none()
        return queryset.filter(pk__in=ContactTag.objects.filter(tag=chosen).values("contact"))


class EmailFilter(DropdownFilter):
    """By the state of the primary address, or without any."""

    title, parameter_name = "email", "email"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [*EmailAddress.State.choices, ("none", "No email address")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (chosen := self.value()):
            return queryset
        if chosen == "none":
            # Not `NOT EXISTS`: SQLite would look through the tenant's addresses once for each contact.
            return queryset.exclude(pk__in=EmailAddress.objects.order_by().values("contact"))
        return queryset.filter(pk__in=EmailAddress.objects.filter(is_primary=True, state=chosen).values("contact"))


class ImportFilter(DropdownFilter):
    """Whom one file was about, as long as its rows are kept: whom it added, changed, or said nothing new about."""

    title, parameter_name = "import", "import"
    latest = 25

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[int, str]]:
        kept = Import.objects.filter(state__in=APPLIED, finished_at__gt=timezone.now() - keeping.KEEP)
        rows = rows_of_tenant(Import, request, kept).only("pk", "file_name", "finished_at")
        return [(row.pk, f"{row.file_name}, {local(row.finished_at)}") for row in rows[: self.latest]]

    def has_output(self) -> bool:
        """Also for an older import that an address names, and for one that is not here."""
        return bool(self.value()) or super().has_output()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (chosen := self.value()):
            return queryset
        if not is_number(chosen):
            return queryset.none()
        rows = rows_of_tenant(ImportRow, request).filter(data_import=chosen, contact_uid__isnull=False)
        return queryset.filter(uid__in=rows.order_by().values("contact_uid"))
