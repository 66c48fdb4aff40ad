"""HAL: links, curies and the shape of a collection (O14). Every address in an answer is made here."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

BASE = "/api/v2"
CONTENT_TYPE = "application/hal+json"
Link = dict[str, Any]


def href(path: str = "", **query: Any) -> str:
    """A whole address below the entry point."""
    asked = f"?{urlencode(query)}" if query else ""
    return f"{settings.PUBLIC_URL}{BASE}{path}{asked}"


def link(path: str, title: str = "", **query: Any) -> Link:
    """One link."""
    return {"href": href(path, **query)} | ({"title": title} if title else {})


def about() -> str:
    """The page that tells how all of this works."""
    return f"{settings.PUBLIC_URL}/api/osdi/try"


def curies() -> list[Link]:
    """What `osdi:` and `action_network:` stand for: where each is described."""
    return [{"name": name, "href": f"{about()}#{{rel}}", "templated": True} for name in ("osdi", "action_network")]


def links(**more: Any) -> dict[str, Any]:
    """`_links` with curies at its end; `osdi__people` becomes `osdi:people`."""
    return {name.replace("__", ":"): value for name, value in more.items()} | {"curies": curies()}


def at(moment: datetime) -> str:
    """A time as OSDI writes it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment.year >= 1000 else f"{moment:%Y-%m-%d}"


def collection(
    rel: str, rows: Sequence[dict[str, Any]], numbers: dict[str, int], self_href: str, next_href: str, **more: Any
) -> dict[str, Any]:
    """A page of resources. `numbers` are page, per_page and, where they are told, the totals. An empty page keeps
    `_embedded`: clients read on until they meet one."""
    around = {"next": {"href": next_href}} if next_href else {}
    return numbers | {
        "_links": around
        | {"self": {"href": self_href}, rel: [{"href": row["_links"]["self"]["href"]} for row in rows]}
        | links(**more),
        "_embedded": {rel: list(rows)},
    }
