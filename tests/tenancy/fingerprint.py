"""What is in the database, as one number: equal before and after means that nothing was changed."""

import hashlib
from typing import Any

from django.apps import apps
from django.db import connection

from contacts.tenancy.models import Tenant, TenantOwned
from contacts.tenancy.triggers import links


def of_tenant(tenant: Tenant) -> str:
    """Of every row of one tenant, and of the tenant itself, as they lie in the tables."""
    told = [rows_of(Tenant, f"WHERE id = {tenant.pk}")]
    told += [rows_of(m, f"WHERE tenant_id = {tenant.pk}") for m in apps.get_models() if issubclass(m, TenantOwned)]
    return digest(told)


def of_everything() -> str:
    """Of every row there is; only sessions come and go."""
    models = [m for m in apps.get_models() if m._meta.managed and not m._meta.proxy]
    return digest([rows_of(m) for m in models if m._meta.db_table != "django_session"])


def rows_of(model: Any, where: str = "") -> list[Any]:
    """The rows, by key."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{model._meta.db_table}" {where} ORDER BY 1')  # noqa: S608
        return [model.__name__, cursor.fetchall()]


def digest(told: Any) -> str:
    """The number."""
    return hashlib.sha256(repr(told).encode()).hexdigest()


def crossed_links() -> list[str]:
    """Links from a row of one tenant to a row of another; there must be none."""
    found = []
    with connection.cursor() as cursor:
        for table, column, target in links():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" a JOIN "{target}" b ON a."{column}" = b.id '  # noqa: S608
                "WHERE a.tenant_id <> b.tenant_id"
            )
            if cursor.fetchone()[0]:
                found.append(f"{table}.{column}")
    return found
