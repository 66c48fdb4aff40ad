"""The lists of rows on the staff's site: whatever stands in an address or a form, they answer with a page."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from unfold.templatetags import unfold_list
from unfold.views import ChangeList

LONGEST_NUMBER = 18  # digits; databases keep no longer ones


def is_number(text: str) -> bool:
    """Whether this can be the number of a row."""
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER


class Count(int):
    """A number that is shown like all others: 5,377."""

    def __str__(self) -> str:
        return f"{int(self):,}"


class SteadyChangeList(ChangeList):
    """A page number out of range gives the nearest page, and rows that sort alike come in the order of an index."""

    page_num: int
    root_queryset: Any

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """With what only this page shows of the rows: a row's own page and the choices in forms do not pay for it."""
        self.root_queryset = self.model_admin.listed(self.root_queryset)
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        if (count := self.known_count()) is not None:
            self.paginator.count = count  # type: ignore[misc]
        page = self.paginator.get_page(self.page_num)
        self.page_num = page.number
        self.result_count = Count(self.paginator.count)
        self.full_result_count = None  # it would be counted for each page, and says nothing that helps
        self.show_full_result_count = self.can_show_all = False
        self.show_admin_actions = True
        self.multi_page = self.result_count > self.list_per_page
        self.result_list = page.object_list

    def known_count(self) -> int | None:
        """How many rows there are, where that is counted in a shorter way than from the rows themselves."""
        return None

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """Django ends with the newest first; in the direction of the first column, one index serves."""
        ordering: list[Any] = super().get_ordering(request, queryset)
        if len(ordering) > 1 and ordering[-1] == "-pk" and not str(ordering[0]).startswith("-"):
            ordering[-1] = "pk"
        return ordering


def headings(changes: Any, draw: Callable[[Any], Iterable[dict[str, Any]]] = unfold_list.result_headers) -> list[Any]:
    """The headings of the columns, made once for a page: the theme asks for them anew for each of its rows."""
    if "headings" not in changes.__dict__:
        changes.headings = list(draw(changes))
    found: list[Any] = changes.headings
    return found


unfold_list.result_headers = headings


def keep_numbers(request: HttpRequest) -> None:
    """Of the rows that a form says were ticked, those that can be rows."""
    ticked: Sequence[str] = request.POST.getlist(ACTION_CHECKBOX_NAME)
    numbers = [pk for pk in ticked if is_number(pk)]
    if len(numbers) < len(ticked):
        fields = request.POST.copy()
        fields.setlist(ACTION_CHECKBOX_NAME, numbers)
        request.POST = fields  # type: ignore[assignment]
