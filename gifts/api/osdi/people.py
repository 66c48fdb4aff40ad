"""People: list, read, the signup helper, and changes that merge (O3-O6, O14)."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from gifts.api.osdi import donation_bodies, filters, finding, paging, person_bodies, shown
from gifts.api.osdi.filter import apply
from gifts.api.osdi.frame import OsdiView
from gifts.donating.background import later
from gifts.donating.people import sign_up, update_person
from gifts.models import BackgroundCall

REL = "osdi:people"


class OfPeople(OsdiView):
    """What is answered about a person after a write."""

    def show(self, uid: str) -> dict[str, Any]:
        """As they are now; `{}` for what is done afterwards."""
        return shown.people([finding.person(uid)])[0] if uid else {}


class People(OfPeople):
    """Everybody, without totals, which a large organization would wait for; and the person signup helper."""

    def get(self, request: Request) -> Response:
        """A page of them."""
        rows: QuerySet[Contact] = apply(Contact.objects.all(), request.query_params.get("filter", ""), filters.PEOPLE)
        return Response(paging.show(rows, request.query_params, "/people", REL, shown.people, tells_totals=False))

    def post(self, request: Request) -> Response:
        """Find or add one, write down what was sent, then tags."""
        return self.once(lambda: self.sign_up(request))

    def sign_up(self, request: Request) -> str:
        """The person's id, or "" where it is done afterwards."""
        given = self.given()
        body = donation_bodies.tags(given) | {
            "person": person_bodies.person(given.get("person"), is_helper=True, may_unsubscribe=True)
        }
        if finding.wants_background(request):
            later(BackgroundCall.Verb.SIGN_UP, body, finding.words(request), finding.caller(request))
            return ""
        contact, _ = sign_up(body, finding.caller(request))
        return str(contact.uid)


class Person(OfPeople):
    """One person."""

    def get(self, request: Request, person: str) -> Response:
        """With everything that hangs on them."""
        return Response(shown.people([finding.person(person)])[0])

    def put(self, request: Request, person: str) -> Response:
        """What is sent is written down, and what is not sent stays (O4)."""
        return self.once(lambda: self.change(request, person))

    def change(self, request: Request, person: str) -> str:
        """Some clients wrap what they send in `person`, as the helper has it."""
        contact, given = finding.person(person), self.given()
        sent = given["person"] if isinstance(given.get("person"), dict) else given
        body = person_bodies.person(sent, is_helper=False, may_unsubscribe=True)
        if finding.wants_background(request):
            words, caller = finding.words(request), finding.caller(request)
            later(BackgroundCall.Verb.UPDATE_PERSON, body, words, caller, target=contact.uid)
            return ""
        return str(update_person(contact, body, finding.caller(request)).uid)
