"""`{% csrf_token %}` with one more hidden field: the organization that the form was opened under.

It stands in for Django's own tag in every template of the project, so that no form can forget the field.
"""

from typing import Any

from django import template
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html

FIELD = "_organization"

register = template.Library()


class FormOriginNode(CsrfTokenNode):
    """The token, and the organization's number for people who are logged in to one."""

    def render(self, context: Any) -> str:
        token = super().render(context)
        tenant = getattr(context.get("request"), "tenant", None)
        return (
            token
            if tenant is None
            else token + format_html('<input type="hidden" name="{}" value="{}">', FIELD, tenant.pk)
        )


@register.tag
def csrf_token(parser: Any, token: Any) -> FormOriginNode:
    """See the module."""
    return FormOriginNode()
