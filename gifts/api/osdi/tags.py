"""Tags, and who has them (O8, O14). Tags are neither changed nor deleted here."""

from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact, ContactTag, Tag
from contacts.services import add_tag, take_off_tag
from gifts.api.osdi import donation_bodies, filters, finding, paging, shown
from gifts.api.osdi.errors import NotThere
from gifts.api.osdi.filter import apply
from gifts.api.osdi.frame import OsdiView
from gifts.donating.background import later, tagging_of
from gifts.models import BackgroundCall

REL, TAGGINGS = "osdi:tags", "osdi:taggings"
DELETED = {"notice": "This tagging was successfully deleted."}


class OfTags(OsdiView):
    """What is answered about a tag after a write."""

    def show(self, uid: str) -> dict[str, Any]:
        """As it is."""
        return shown.tags([finding.one(Tag.objects.all(), "tag", uid)])[0]


class Tags(OfTags):
    """All of them, and new ones."""

    def get(self, request: Request) -> Response:
        """A page of them."""
        rows = apply(Tag.objects.all(), request.query_params.get("filter", ""), filters.NONE)
        return Response(paging.show(rows, request.query_params, "/tags", REL, shown.tags))

    def post(self, request: Request) -> Response:
        """Make one; a name that there is already, in whatever case, is that tag."""
        return self.once(self.create)

    def create(self) -> str:
        """Its id."""
        name = donation_bodies.tag_name(self.given_anywhere("name"))
        found = Tag.objects.filter(name__iexact=name).first()
        if found is None:
            try:
                with transaction.atomic():
                    found = Tag.objects.create(name=name)
            except IntegrityError:  # made in this moment
                found = Tag.objects.get(name__iexact=name)
        return str(found.uid)


class OneTag(OfTags):
    """One of them."""

    def get(self, request: Request, tag: str) -> Response:
        """As it is."""
        return Response(self.show(tag))


def people_with(rows: Any) -> Any:
    """With what is shown of a tagging."""
    return rows.select_related("tag", "contact")


class OfPerson(OsdiView):
    """The tags of one person."""

    def get(self, request: Request, person: str) -> Response:
        """A page of them."""
        contact = finding.person(person)
        rows = people_with(ContactTag.objects.filter(contact=contact))
        path = f"/people/{contact.uid}/taggings"
        return Response(paging.show(rows, request.query_params, path, TAGGINGS, shown.taggings))


class Taggings(OsdiView):
    """Who has a tag; and where somebody is given it."""

    def get(self, request: Request, tag: str) -> Response:
        """A page of them."""
        row = finding.one(Tag.objects.all(), "tag", tag)
        rows = people_with(ContactTag.objects.filter(tag=row))
        return Response(paging.show(rows, request.query_params, f"/tags/{row.uid}/taggings", TAGGINGS, shown.taggings))

    def post(self, request: Request, tag: str) -> Response:
        """Tag the person that the link leads to; whoever has the tag keeps it."""
        return self.once(lambda: self.add(request, tag))

    def show(self, uid: str) -> dict[str, Any]:
        """As it is now; `{}` for what is done afterwards."""
        return shown.taggings([finding.one(people_with(ContactTag.objects.all()), "tagging", uid)])[0] if uid else {}

    def add(self, request: Request, tag: str) -> str:
        """The tagging's id; "" where it is done afterwards."""
        row: Tag = finding.one(Tag.objects.all(), "tag", tag)
        contact = finding.linked_person(donation_bodies.linked(self.given(), "osdi:person"))
        if finding.wants_background(request):
            given = tagging_of(row, contact)
            later(BackgroundCall.Verb.ADD_TAG, given, finding.words(request), finding.caller(request))
            return ""
        add_tag(row, Contact.objects.filter(pk=contact.pk))
        return str(ContactTag.objects.get(tag=row, contact=contact).uid)


class Tagging(OsdiView):
    """One tag of one person."""

    def found(self, tag: str, tagging: str) -> ContactTag:
        """The row, where the address says that it is."""
        row = finding.one(Tag.objects.all(), "tag", tag)
        found: ContactTag = finding.one(people_with(ContactTag.objects.filter(tag=row)), "tagging", tagging)
        return found

    def get(self, request: Request, tag: str, tagging: str) -> Response:
        """As it is."""
        return Response(shown.taggings([self.found(tag, tagging)])[0])

    def delete(self, request: Request, tag: str, tagging: str) -> Response:
        """Take it off. The answer has a body, which clients read."""
        return self.once(lambda: self.take_off(request, tag, tagging))

    def show(self, uid: str) -> dict[str, Any]:
        """Said the same whether it was done now or is done afterwards."""
        return DELETED if uid else {}

    def take_off(self, request: Request, tag: str, tagging: str) -> str:
        """Its id; "" where it is done afterwards."""
        row = self.found(tag, tagging)
        if finding.wants_background(request):
            given = tagging_of(row.tag, row.contact)
            later(BackgroundCall.Verb.REMOVE_TAG, given, finding.words(request), finding.caller(request))
            return ""
        if not take_off_tag(row.tag, Contact.objects.filter(pk=row.contact_id)):
            raise NotThere("tagging", tagging)
        return str(row.uid)
