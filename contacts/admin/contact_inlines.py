"""The parts of a contact on its page: addresses, numbers, identifiers, places on lists."""

from typing import Any

from django.http import HttpRequest

from contacts.forms import EmailForm, EmailFormSet, MembershipForm, PhoneForm, PhoneFormSet, PostalFormSet
from contacts.models import EmailAddress, ListMembership, OutsideIdentifier, PhoneNumber, PostalAddress
from contacts.tenancy.admin import TenantStackedInline, TenantTabularInline


class ShortInline(TenantTabularInline):
    """Part of the short form: somebody new gets an empty row to fill in."""

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj else 1


class EmailInline(ShortInline):
    area = "contacts"
    model = EmailAddress
    form = EmailForm
    formset = EmailFormSet
    fields = ["address", "is_primary", "state"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of somebody new, no mail has come back yet."""
        return self.fields if obj else ["address", "is_primary"]


class PhoneInline(ShortInline):
    area = "contacts"
    model = PhoneNumber
    form = PhoneForm
    formset = PhoneFormSet
    fields = ["number", "label", "is_primary"]


class PostalInline(TenantStackedInline):
    area = "contacts"
    model = PostalAddress
    formset = PostalFormSet
    fields = [("street", "city"), ("state", "postal_code", "country"), ("label", "is_primary")]


class IdentifierInline(TenantTabularInline):
    area = "contacts"
    model = OutsideIdentifier
    verbose_name = "identifier"
    verbose_name_plural = "Identifiers in other systems"
    fields = ["system", "value"]


class MembershipInline(ShortInline):
    """Places on lists, each with its own Do Not Contact (L7)."""

    area = "lists"
    model = ListMembership
    form = MembershipForm
    fields = ["contact_list", "position", "do_not_contact"]
    autocomplete_fields = ["contact_list"]
    verbose_name = "list"
    verbose_name_plural = "Lists"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("contact_list", "contact")


ALL = [EmailInline, PhoneInline, MembershipInline, PostalInline, IdentifierInline]
