"""Where apps above add to the staff's pages: cards below a form, badges in the menu, and on the first page panels, what
needs a person today, and the first steps of a new organization.

An app registers functions in its `AppConfig.ready()`; they run inside the tenant and return HTML, or "" for nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.http import HttpRequest

Card = Callable[[HttpRequest, Any], str]
Panel = Callable[[HttpRequest], str]
Badge = Callable[[HttpRequest], str]


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person: so many of it, a sentence that follows the number, and where to go.

    `link` opens exactly the rows that were counted; the button leads there too, unless `act` says where else. Without
    `button` this person may look, and `sentence` should say who may do more.
    """

    count: int
    sentence: str
    link: str
    button: str = ""
    act: str = ""
    icon: str = "priority_high"
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first steps of a new organization; it ticks itself off."""

    title: str
    sentence: str
    is_done: bool
    link: str = ""
    button: str = ""


NeedSource = Callable[[HttpRequest], Iterable[Need]]
StepSource = Callable[[HttpRequest], Iterable[Step]]

_cards: dict[type[Model], list[tuple[int, Card]]] = {}
_panels: list[tuple[int, Panel]] = []
_badges: dict[str, Badge] = {}
_needs: list[tuple[int, NeedSource]] = []
_steps: list[tuple[int, StepSource]] = []


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


def add_need(source: NeedSource, order: int = 50) -> None:
    """Show what `source(request)` yields under “What needs you today”; lower orders come first. It must take a fixed
    number of queries, and each number must open exactly the rows that were counted."""
    if (order, source) not in _needs:
        _needs.append((order, source))


def needs_for(request: HttpRequest) -> list[Need]:
    """What waits for a person, the most urgent first; what counts nothing is left out."""
    in_order = sorted(_needs, key=lambda pair: pair[0])
    found = [need for _, source in in_order for need in source(request) if need.count]
    return sorted(found, key=lambda need: not need.is_urgent)


def add_step(source: StepSource, order: int = 50) -> None:
    """Show these among the first steps of a new organization, until all are done."""
    if (order, source) not in _steps:
        _steps.append((order, source))


def steps_for(request: HttpRequest) -> list[Step]:
    """The first steps, in order."""
    return [step for _, source in sorted(_steps, key=lambda pair: pair[0]) for step in source(request)]
