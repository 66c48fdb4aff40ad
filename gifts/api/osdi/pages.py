"""Fundraising pages: list, make, read, change (O11, O14)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from gifts.api.osdi import donation_bodies, filters, finding, paging, shown
from gifts.api.osdi.filter import apply
from gifts.api.osdi.frame import OsdiView
from gifts.donating.pages import create_page, update_page
from gifts.models import FundraisingPage

REL = "osdi:fundraising_pages"
BY_ADDRESS = tuple(donation_bodies.PAGE_TEXTS)


class OfPages(OsdiView):
    """What is answered about a page after a write."""

    def rows(self) -> Any:
        """With the name of the organization, which is shown."""
        return FundraisingPage.objects.select_related("tenant")

    def show(self, uid: str) -> dict[str, Any]:
        """As it is now."""
        return shown.pages([finding.one(self.rows(), "fundraising page", uid)])[0]


class Pages(OfPages):
    """All of them, and new ones."""

    def get(self, request: Request) -> Response:
        """A page of them."""
        rows = apply(self.rows(), request.query_params.get("filter", ""), filters.PAGES)
        return Response(paging.show(rows, request.query_params, "/fundraising_pages", REL, shown.pages))

    def post(self, request: Request) -> Response:
        """Make one; an identifier that a page has already makes it a change of that page."""
        return self.once(lambda: self.create(request))

    def create(self, request: Request) -> str:
        """Its id. Where the body is empty, members may stand in the address."""
        given = self.given_anywhere(*BY_ADDRESS)
        donation_bodies.refuse_other_currency(given, self.tenant.currency)
        body = donation_bodies.page(given, is_new=True)
        return str(create_page(body, finding.words(request)).uid)


class Page(OfPages):
    """One of them."""

    def get(self, request: Request, page: str) -> Response:
        """With what it has brought in."""
        return Response(self.show(page))

    def put(self, request: Request, page: str) -> Response:
        """What is sent is written down, and what is not sent stays."""
        return self.once(lambda: self.change(page))

    def change(self, page: str) -> str:
        """Its id."""
        row = finding.one(self.rows(), "fundraising page", page)
        given = self.given_anywhere(*BY_ADDRESS)
        donation_bodies.refuse_other_currency(given, self.tenant.currency)
        body = donation_bodies.page(given, is_new=False)
        return str(update_page(row, body).uid)
