"""The name of a page in its header and in the browser's tab: the one that the menu has for it, so that each thing has
one name."""

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst

from config.navigation import OPERATORS, STAFF

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
    return getattr(part["title"], "called", "") or capfirst(part["title"])  # a contact without a name has an address


@register.simple_tag(takes_context=True)
def tab_title(context: Any) -> str:
    """“Contacts | Almoner”, “Ana Ruiz | Contacts | Almoner”: what the tab of the browser says, the particular first."""
    opts, original = context.get("opts"), context.get("original")
    parts = [context.get("subtitle"), context.get("title")]
    if context.get("cl"):
        parts = [name_of(context["cl"].opts)]
    elif opts and original and "adminform" in context:
        parts = [context.get("subtitle") or original, name_of(opts)]
    return " | ".join(str(part) for part in [*parts, context.get("site_title") or "Almoner"] if part)


def name_of(opts: Any) -> str:
    """What the menu calls the rows of this kind; those without an entry are called by what they are."""
    address = f"{opts.app_label}_{opts.model_name}_changelist"
    rows = [
        *((title, name) for _, entries in STAFF for title, _, name, _ in entries),
        *((t, n) for t, _, n in OPERATORS),
    ]
    plural = str(opts.verbose_name_plural)
    found = (title for title, name in rows if name.removeprefix("admin:") == address)
    return next(found, plural[:1].upper() + plural[1:])
