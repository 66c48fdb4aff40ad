"""The walls between tenants: queries outside a tenant raise, rows cannot be created in or moved to another one."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import models
from django_scopes import get_scope, scope
from django_scopes.exceptions import ScopeError

if TYPE_CHECKING:
    from contacts.tenancy.models import Tenant


class WrongTenant(ScopeError):
    """A row of one tenant was about to be written while another tenant is active."""


def current_tenant() -> "Tenant | None":
    """The active tenant, or None outside of any."""
    active = get_scope()
    return active.get("tenant") if active.get("_enabled", True) else None


@contextmanager
def in_tenant(tenant: "Tenant") -> Iterator[None]:
    """Everything inside belongs to this tenant: the first line of every job."""
    with scope(tenant=tenant):
        yield


def place_in_tenant(row: Any) -> None:
    """Fill in the active tenant, or refuse: no tenant is active, or it is not this row's."""
    active = get_scope()
    if not active.get("_enabled", True):
        return
    tenant = active.get("tenant")
    if tenant is None:
        raise ScopeError(f"A {row._meta.verbose_name} can only be written inside a tenant.")
    if row.tenant_id is None:
        row.tenant = tenant
    elif row.tenant_id != tenant.pk:
        raise WrongTenant(f"This {row._meta.verbose_name} belongs to another tenant.")


class TenantQuerySet(models.QuerySet[Any]):
    """Bulk writes keep to the active tenant as well."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        objs = list(objs)
        for row in objs:
            place_in_tenant(row)
        return super().bulk_create(objs, *args, **kwargs)

    def update(self, **values: Any) -> int:
        if {"tenant", "tenant_id"} & values.keys():
            raise WrongTenant("Rows are never moved to another tenant.")
        return super().update(**values)
