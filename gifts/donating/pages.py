"""Fundraising pages, made and changed by programs (O11, O14), and what they come to."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from gifts.models import FundraisingPage

Given = Mapping[str, Any]


def create_page(given: Given, by: str) -> FundraisingPage:
    """A page made by a program, which takes donations. `given`: title (needed), name, summary, description,
    origin_system, browser_url, featured_image_url, `action_network:hidden`, identifiers; `by` names the key. An
    identifier that a page has already makes it an update of that page. One transaction."""
    raise RuntimeError("On its way.")


def update_page(page: FundraisingPage, given: Given) -> FundraisingPage:
    """Change what was sent; identifiers are added. One transaction."""
    raise RuntimeError("On its way.")


def figures_of(pages: Iterable[FundraisingPage]) -> dict[int, tuple[int, Decimal]]:
    """{page: (number of donations, their sum as it was given)}, by primary keys. One query."""
    raise RuntimeError("On its way.")
