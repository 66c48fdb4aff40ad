"""The name of a page in its header: the one that the menu has for it, so that each thing has one name."""

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from config.navigation import STAFF

register = template.Library()


@register.filter
def as_in_menu(part: dict[str, Any]) -> Any:
    """“Consent ledger” for a part of the header that leads to its page; other parts keep their titles."""
    link = str(part.get("link", ""))
    for _, rows in STAFF:
        for title, _, name, _ in rows:
            try:
                if link == reverse(name):
                    return title
            except NoReverseMatch:  # that app has no page of this name in this installation
                continue
    return part["title"]
