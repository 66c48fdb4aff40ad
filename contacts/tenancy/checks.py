"""System checks that refuse an admin class with a hole in the wall between tenants, before anybody can use it."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from unfold.checks import UnfoldModelAdminChecks

from contacts.tenancy.models import TenantOwned


class TenantAdminChecks(UnfoldModelAdminChecks):
    """The checks of every `TenantAdmin`; each names the hole it closes."""

    def check(self, admin_obj: Any, **kwargs: Any) -> list[CheckMessage]:
        found = [Error(text, obj=type(admin_obj), id=f"tenancy.{code}") for code, text in holes(admin_obj)]
        return [*super().check(admin_obj, **kwargs), *found]


def holes(admin: Any) -> Iterator[tuple[str, str]]:
    """(code, sentence) of each hole in an admin class."""
    from contacts.tenancy.admin import TenantInline
    from contacts.tenancy.roles import AREAS

    if admin.area not in AREAS:
        yield "E001", f"`area` must be one of {', '.join(AREAS)}."
    if not issubclass(admin.model, TenantOwned):
        yield "E002", "The staff's site shows rows of one tenant only: the model must be TenantOwned."
    for part in (admin, *admin.inlines):
        if part.raw_id_fields:
            yield "E003", "`raw_id_fields` shows the name of any row of any tenant: use `autocomplete_fields`."
        if "tenant" in names(part.fields) | {n for _, o in part.fieldsets or () for n in names(o["fields"])}:
            yield "E004", "The tenant is never part of a form."
    for inline in admin.inlines:
        if not issubclass(inline, TenantInline):
            yield "E005", f"{inline.__name__} must derive from a TenantInline."
    yield from filter_holes(admin)
    for path in (*admin.search_fields, *([admin.date_hierarchy] if admin.date_hierarchy else [])):
        if leaves_the_tenant(admin.model, path.lstrip("^=@")):
            yield "E007", f"“{path}” searches rows that belong to no tenant."
    for name in admin.actions or ():
        action = getattr(admin, name, None) if isinstance(name, str) else name
        if not getattr(action, "allowed_permissions", None):
            yield "E008", f"The action {name} must declare its permissions."
    for kind in ("actions_list", "actions_row", "actions_detail"):
        if getattr(admin, kind):
            yield "E009", f"`{kind}` run on a plain GET: use our own button that posts."


def names(fields: Any) -> set[str]:
    """Field names of a `fields` option, whose entries may be lines of several."""
    return {n for f in fields or () for n in (f if isinstance(f, list | tuple) else [f])}


def filter_holes(admin: Any) -> Iterator[tuple[str, str]]:
    """Filters that would list names of other tenants."""
    from django.contrib.admin import AllValuesFieldListFilter

    from contacts.tenancy.filters import TenantRelatedFilter

    for entry in admin.list_filter:
        name, kind = entry if isinstance(entry, tuple | list) else (entry, None)
        if not isinstance(name, str):
            continue
        relation = any(isinstance(f, models.ForeignKey | models.ManyToManyField | models.ForeignObjectRel)
                       for f in steps(admin.model, name)[-1:])  # fmt: skip
        if relation and not (kind and issubclass(kind, TenantRelatedFilter)):
            yield "E006", f"The filter “{name}” needs TenantRelatedFilter."
        if kind and issubclass(kind, AllValuesFieldListFilter):
            yield "E006", f"The filter “{name}” would list every tenant's values."
        if leaves_the_tenant(admin.model, name):
            yield "E006", f"The filter “{name}” asks rows that belong to no tenant."


def steps(model: type[models.Model], path: str) -> list[Any]:
    """The fields that a look-up path goes through; look-ups such as `istartswith` end it."""
    found = []
    for part in path.split("__"):
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:
            break
        found.append(field)
        if not field.is_relation:
            break
        model = field.related_model  # type: ignore[assignment]
    return found


def leaves_the_tenant(model: type[models.Model], path: str) -> bool:
    """Whether a path goes on beyond a row that is shared by all tenants, such as a user."""
    fields = steps(model, path)
    return any(f.is_relation and not issubclass(f.related_model, TenantOwned) for f in fields[:-1])
