"""Where apps above add to the staff's pages: cards below a form, panels on the first page, badges in the menu.

An app registers functions in its `AppConfig.ready()`; they run inside the tenant and return HTML, or "" for nothing.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Model
from django.http import HttpRequest

Card = Callable[[HttpRequest, Any], str]
Panel = Callable[[HttpRequest], str]
Badge = Callable[[HttpRequest], str]

_cards: dict[type[Model], list[tuple[int, Card]]] = {}
_panels: list[tuple[int, Panel]] = []
_badges: dict[str, Badge] = {}


def add_card(model: type[Model], card: Card, order: int = 50) -> None:
    """Show `card(request, row)` below the form on the page of each row of this model; lower orders come first."""
    rows = _cards.setdefault(model, [])
    if (order, card) not in rows:
        rows.append((order, card))


def cards_for(request: HttpRequest, row: Model) -> list[str]:
    """What the apps above have to say about this row."""
    in_order = sorted(_cards.get(type(row), []), key=lambda pair: pair[0])
    return [html for _, card in in_order if (html := card(request, row))]


def add_panel(panel: Panel, order: int = 50) -> None:
    """Show `panel(request)` on the first page; lower orders come first."""
    if (order, panel) not in _panels:
        _panels.append((order, panel))


def panels_for(request: HttpRequest) -> list[str]:
    """The panels of the first page."""
    return [html for _, panel in sorted(_panels, key=lambda pair: pair[0]) if (html := panel(request))]


def add_badge(address_name: str, badge: Badge) -> None:
    """Show `badge(request)`, a word or number, beside the menu entry of this address ("integrations:setup")."""
    _badges[address_name] = badge


def badge(request: HttpRequest, address_name: str) -> str:
    """The badge of one menu entry, or ""."""
    made = _badges.get(address_name)
    return made(request) if made else ""
