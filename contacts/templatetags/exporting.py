"""The button that leads from a list page to its export, with the search and filters of that page."""

from typing import Any

from django import template
from django.http import QueryDict
from django.urls import reverse

from contacts.tenancy.roles import CHANGE, is_allowed

register = template.Library()


@register.simple_tag(takes_context=True)
def may_export(context: Any) -> bool:
    """Whether this person may take rows out."""
    return is_allowed(context["request"], CHANGE, "exports")


@register.inclusion_tag("admin/contacts/export_button.html", takes_context=True)
def export_button(context: Any, what: str, **more: Any) -> dict[str, Any]:
    """Nothing for those who may not export; `more` goes with the search, such as `list=7`."""
    request = context["request"]
    if not is_allowed(request, CHANGE, "exports"):
        return {}
    query = request.GET.copy()
    query.update({name: str(value) for name, value in more.items()})
    asked = QueryDict(mutable=True)
    asked.update({"what": what, "query": query.urlencode()})
    return {"address": f"{reverse('admin:contacts_export_new')}?{asked.urlencode()}"}
