"""Posts without a key, from forms on websites (O10): to one address only, so many in a minute, open to browsers of
every site, and with answers that tell nothing about anybody, not even by how long they take."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.tenancy.acting import By, acting
from contacts.tenancy.throttle import counted, until_next, visitor
from contacts.tenancy.walls import in_tenant
from gifts.api.osdi.errors import NotThere, Wrong
from gifts.api.osdi.finding import uid_of
from gifts.models import FundraisingPage

WITHIN = timedelta(minutes=1)
MOST = 1_000_000  # in one donation
ANY_SITE = "Access-Control-Allow-Origin"


class TooManyPosts(Wrong):
    """429, with when to come back."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"Too many donations in this minute. Please try again in {wait} seconds.", 429)
        self.wait = wait


def enter(view: Any, request: Request, uid: str) -> FundraisingPage:
    """Into the organization of this page, for a post. Raises for whatever else needs a key."""
    if request.method != "POST":
        raise NotAuthenticated
    known = uid_of(uid)
    rows = FundraisingPage.objects.with_scopes_disabled().select_related("tenant")
    page: FundraisingPage | None = rows.filter(uid=known).first() if known else None
    if page is None:
        raise NotThere("fundraising page", uid)
    view.inside.enter_context(in_tenant(page.tenant))
    view.inside.enter_context(timezone.override(page.tenant.tz))
    view.inside.enter_context(acting(By.SYSTEM, words(page)))
    count(page, visitor(request._request))
    return page


def refuse_large(recipients: Iterable[Mapping[str, str]]) -> None:
    """Nobody gives a fortune by a form; a hundred made-up ones would be more than the totals of a donor can hold.
    Raises `Wrong`."""
    if sum(Decimal(row["amount"]) for row in recipients) > MOST:
        raise Wrong(f"Without a key, a donation of {MOST:,} at most can be reported.")


def words(page: FundraisingPage) -> str:
    """Who did it, for histories."""
    return f"Form on a website: {page}"[:100]


def count(page: FundraisingPage, address: str) -> None:
    """Count this post: of one address to one page, and of all to that page. Raises `TooManyPosts`."""
    by_address, by_page = settings.BLIND_POSTS_PER_MINUTE, settings.BLIND_POSTS_PER_MINUTE_PAGE
    is_one_too_many = bool(address) and counted("blind post", f"{page.pk} {address}", WITHIN) > by_address
    # An address that is over its limit does not use up what is the others'.
    if is_one_too_many or counted("blind posts of page", str(page.pk), WITHIN) > by_page:
        raise TooManyPosts(until_next(WITHIN))


@contextmanager
def in_even_time() -> Iterator[None]:
    """Answers take one, two … such stretches of time: whether somebody was found or added is not to be told from it."""
    stretch, began = settings.BLIND_POST_SECONDS, time.monotonic()
    try:
        yield
    finally:
        if stretch:
            time.sleep(stretch - (time.monotonic() - began) % stretch)


def before_post() -> Response:
    """The answer to a browser that asks whether a page elsewhere may post here. A key is not sent from browsers."""
    response = Response(status=204)
    response["Access-Control-Allow-Methods"] = "POST, OPTIONS"
    response["Access-Control-Allow-Headers"] = "Content-Type, Accept"
    response["Access-Control-Max-Age"] = "600"
    return response


def open_to_browsers(request: Request, response: Any) -> Any:
    """Answers to posts without a key can be read by every site, and so can their errors."""
    has_key = request.headers.get("OSDI-API-Token") or request.headers.get("Authorization")
    if request.method == "OPTIONS" or (request.method == "POST" and not has_key):
        response[ANY_SITE] = "*"
    return response
