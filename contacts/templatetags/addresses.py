"""Email addresses on pages: where there is not enough room for one, its line breaks behind the @."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def breakable(address: str) -> SafeString:
    """The address with a place where its line may break."""
    before, at, after = str(address).rpartition("@")
    return format_html("{}{}<wbr>{}", before, at, after)
