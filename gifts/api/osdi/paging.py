"""Pages of 25 in the order in which rows were made, so that what is added meanwhile comes at the end (O14).

A client may count pages up or follow `next`. The latter says after which row it goes on, so that nobody is passed over
when somebody is deleted or merged between two pages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from gifts.api.osdi import hal
from gifts.api.osdi.errors import Wrong

MOST = 25
LONGEST = 9  # digits of a number in the address


@dataclass(frozen=True, slots=True)
class Place:
    """Which page is asked for."""

    page: int
    per_page: int
    after: int | None

    @classmethod
    def of(cls, query: QueryDict) -> "Place":
        """From the address. Raises `Wrong`. More than 25 is quietly 25."""
        after = query.get("after", "")
        return cls(
            whole(query, "page", 1), min(whole(query, "per_page", MOST), MOST),
            whole(query, "after", 0, least=0) if after else None,
        )  # fmt: skip


def whole(query: QueryDict, name: str, otherwise: int, least: int = 1) -> int:
    """A whole number of the address. Raises `Wrong`."""
    text = query.get(name, "").strip()
    if not text:
        return otherwise
    if not text.isascii() or not text.isdecimal() or len(text) > (LONGEST if name != "after" else 18):
        raise Wrong(f"“{name}” is a whole number, such as {name}=2.")
    if int(text) < least:
        raise Wrong(f"“{name}” begins with {least}.")
    return int(text)


def show(
    rows: "QuerySet[Any]",
    query: QueryDict,
    path: str,
    rel: str,
    shown: Callable[[Sequence[Any]], list[dict[str, Any]]],
    tells_totals: bool = True,
    **more: Any,
) -> dict[str, Any]:
    """The page of these rows that is asked for. `shown` makes all of them at once; `more` are further links."""
    place = Place.of(query)
    ordered = rows.order_by("pk")
    if place.after is None:
        begin = (place.page - 1) * place.per_page
        found = list(ordered[begin : begin + place.per_page + 1])
    else:
        found = list(ordered.filter(pk__gt=place.after)[: place.per_page + 1])
    there_is_more, found = len(found) > place.per_page, found[: place.per_page]
    numbers = {"page": place.page, "per_page": place.per_page}
    if tells_totals:
        records = rows.order_by().count()
        numbers = {"total_pages": -(-records // place.per_page), **numbers, "total_records": records}
    kept = {name: query[name] for name in ("filter", "per_page") if query.get(name)}
    follows = hal.href(path, page=place.page + 1, after=found[-1].pk, **kept) if there_is_more else ""
    asked = {name: query[name] for name in ("page", "per_page", "filter", "after") if query.get(name)}
    return hal.collection(rel, shown(found), numbers, hal.href(path, **asked), follows, **more)
