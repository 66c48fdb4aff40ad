"""The only filter on a relation that the staff's site accepts: it lists rows of the active tenant."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import Field
from django.http import HttpRequest
from unfold.contrib.filters.admin import RelatedDropdownFilter

from contacts.tenancy.scoped import rows_of_tenant


class TenantRelatedFilter(RelatedDropdownFilter):
    """A drop-down of this tenant's rows, whatever the related model's manager would give."""

    def field_choices(self, field: Field, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[Any, str]]:
        model: Any = field.related_model
        rows = rows_of_tenant(model, request).order_by(*self.field_admin_ordering(field, request, model_admin))
        return [(row.pk, str(row)) for row in rows]
