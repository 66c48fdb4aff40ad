"""Which rows of a model a form, filter or choice on the staff's site may offer."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from contacts.tenancy.models import StaffMember, TenantOwned, User


def rows_of_tenant(model: type[Model], request: HttpRequest, rows: QuerySet[Any] | None = None) -> QuerySet[Any]:
    """This tenant's rows; of users, those with a place in it; of any other shared model, none."""
    rows = model._default_manager.all() if rows is None else rows
    if issubclass(model, TenantOwned):
        return rows.filter(tenant=request.tenant)  # type: ignore[attr-defined]
    if issubclass(model, User):
        return rows.filter(pk__in=StaffMember.objects.values("user"))
    return rows.none()
