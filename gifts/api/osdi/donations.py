"""Donations: list, read, change; and the record donation helper, with a key or without (O1, O9-O13)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from gifts.api.osdi import blind, donation_bodies, filters, finding, hal, paging, shown
from gifts.api.osdi.errors import NotThere, Wrong
from gifts.api.osdi.filter import apply
from gifts.api.osdi.frame import OsdiView
from gifts.donating.background import later
from gifts.donating.caller import BLIND
from gifts.donating.donations import read, record_donation, takes_donations, update_donation
from gifts.donating.pages import currency
from gifts.models import BackgroundCall, Donation, FundraisingPage

REL = "osdi:donations"


class OfDonations(OsdiView):
    """What is answered about a donation after a write."""

    made: Donation | None = None  # by this call

    def show(self, uid: str) -> dict[str, Any]:
        """As it is now; `{}` for what is done afterwards, or without a key."""
        if not uid:
            return {}
        row = self.made if self.made is not None and str(self.made.uid) == uid else None
        row = row or (read(finding.uid_of(uid)) if finding.uid_of(uid) else None)  # type: ignore[arg-type]
        if row is None:
            raise NotThere("donation", uid)
        return shown.donations([row])[0]

    def listed(self, rows: Any, path: str, **more: Any) -> Response:
        """A page of these."""
        query = self.request.query_params
        found = apply(rows, query.get("filter", ""), filters.DONATIONS)
        return Response(paging.show(found, query, path, REL, shown.donations, **more))


class Donations(OfDonations):
    """All of them."""

    def get(self, request: Request) -> Response:
        """A page of them."""
        return self.listed(Donation.objects.all(), "/donations")


class OfPerson(OfDonations):
    """Those of one person."""

    def get(self, request: Request, person: str) -> Response:
        """A page of them."""
        contact: Contact = finding.person(person)
        return self.listed(Donation.objects.filter(gift__contact=contact), f"/people/{contact.uid}/donations")


class OfPage(OfDonations):
    """Those of one fundraising page; and where a new one is recorded."""

    http_method_names = [*OfDonations.http_method_names, "options"]  # noqa: RUF012
    page: FundraisingPage

    def without_key(self, request: Request, **address: Any) -> None:
        """Forms on websites have no key, and neither have browsers that ask whether one may post."""
        if request.method != "OPTIONS":
            self.page = blind.enter(self, request, address["page"])

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        return blind.open_to_browsers(request, response)

    def options(self, request: Request, page: str) -> Response:  # type: ignore[override]
        """What a browser asks before a form's post."""
        return blind.before_post()

    def get(self, request: Request, page: str) -> Response:
        """A page of them."""
        row = finding.one(FundraisingPage.objects.all(), "fundraising page", page)
        path = f"/fundraising_pages/{row.uid}/donations"
        helper = {"osdi__record_donation_helper": hal.link(path)} if row.made_by_api else {}
        return self.listed(Donation.objects.filter(page=row), path, **helper)

    def post(self, request: Request, page: str) -> Response:
        """The helper: person, tags and donation in one call."""
        if request.auth is None:
            with blind.in_even_time():
                return self.once(lambda: self.record(request, self.page, is_blind=True))
        return self.once(
            lambda: self.record(request, finding.one(FundraisingPage.objects.all(), "fundraising page", page))
        )

    def record(self, request: Request, page: FundraisingPage, is_blind: bool = False) -> str:
        """The donation's id; "" where it is done afterwards, or nothing is to be told."""
        if why := takes_donations(page, is_blind=is_blind):
            raise Wrong(why)
        given = self.given()
        donation_bodies.refuse_other_currency(given, currency())
        body = donation_bodies.donation_with_person(given)
        if is_blind:
            blind.refuse_large(body["recipients"])
        if "person_id" in body:
            if is_blind:
                raise Wrong("Without a key, send person with an email address or a phone number.")
            body["person_id"] = str(finding.linked_person(body["person_id"]).uid)
        caller = BLIND if is_blind else finding.caller(request)
        if finding.wants_background(request):
            words = blind.words(page) if is_blind else finding.words(request)
            later(BackgroundCall.Verb.RECORD_DONATION, body, words, caller, page=page)
            return ""
        self.made = record_donation(page, body, caller=caller)
        return "" if is_blind else str(self.made.uid)


class OneDonation(OfDonations):
    """One of them, by itself, on its page or with its person."""

    def get(self, request: Request, donation: str, **address: str) -> Response:
        """As it is."""
        return Response(self.show(str(self.found(donation, **address).uid)))

    def put(self, request: Request, donation: str, **address: str) -> Response:
        """What is sent is written down, and what is not sent stays."""
        return self.once(lambda: self.change(request, donation, **address))

    def found(self, donation: str, page: str = "", person: str = "") -> Donation:
        """The row, where the address says that it is."""
        rows = Donation.objects.select_related("page", "gift__contact")
        if page:
            rows = rows.filter(page=finding.one(FundraisingPage.objects.all(), "fundraising page", page))
        if person:
            rows = rows.filter(gift__contact=finding.person(person))
        row: Donation = finding.one(rows, "donation", donation)
        return row

    def change(self, request: Request, donation: str, **address: str) -> str:
        """Its id; "" where it is done afterwards."""
        row = self.found(donation, **address)
        donation_bodies.refuse_other_currency(self.given(), row.currency)
        body = donation_bodies.donation(self.given(), is_new=False)
        if finding.wants_background(request):
            words, caller = finding.words(request), finding.caller(request)
            later(BackgroundCall.Verb.UPDATE_DONATION, body, words, caller, page=row.page, target=row.uid)
            return ""
        return str(update_donation(row, body).uid)
