"""Where a client begins: the entry point, which answers every key and none, and the metadata (O14)."""

from typing import Any

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.custom import fields
from gifts.api.osdi import SCOPE, hal
from gifts.api.osdi.frame import KeyOrNone, OsdiView
from gifts.api.osdi.paging import MOST

WELCOME = "Welcome to Almoner’s OSDI API. Send your key in the header OSDI-API-Token."


class AnyKey(KeyOrNone):
    """A wrong key is like none, and so is one of another API: what is shown without one says so."""

    def authenticate(self, request: Request) -> Any:
        try:
            found = super().authenticate(request)
        except AuthenticationFailed:
            return None
        return found if found and SCOPE in found[1].scopes else None


class EntryPoint(OsdiView):
    """What there is. Whoever finds no `osdi:tags` here has no key that works."""

    authentication_classes = (AnyKey,)

    def without_key(self, request: Request, **address: Any) -> None:
        """It answers all the same."""

    def get(self, request: Request) -> Response:
        """The links to everything that is served, and to nothing else."""
        about = {
            "self": hal.link("", "This API entry point"),
            "docs": {"href": hal.about(), "title": "How it works, and a page to try it"},
            "osdi__people": hal.link("/people", "People"),
            "osdi__fundraising_pages": hal.link("/fundraising_pages", "Fundraising pages"),
            "osdi__donations": hal.link("/donations", "Donations"),
            "osdi__tags": hal.link("/tags", "Tags"),
            "osdi__person_signup_helper": hal.link("/people", "Find or add a person"),
            "action_network__metadata": hal.link("/metadata", "Metadata"),
        }
        if request.auth is None:
            del about["osdi__tags"]
        return Response({
            "motd": WELCOME, "max_page_size": MOST, "max_pagesize": MOST, "vendor_name": "Almoner",
            "product_name": "Almoner", "namespace": "action_network", "osdi_version": "1.1.1",
            "_links": hal.links(**about),
        })  # fmt: skip


class Metadata(OsdiView):
    """What else can be known about the organization’s data."""

    def get(self, request: Request) -> Response:
        """Where its custom fields are listed."""
        return Response({
            "name": "Almoner",
            "_links": hal.links(
                self=hal.link("/metadata"), action_network__custom_fields=hal.link("/metadata/custom_fields")
            ),
        })  # fmt: skip


class CustomFields(OsdiView):
    """The fields that the organization added to its people."""

    def get(self, request: Request) -> Response:
        """All of them; there are sixty at most."""
        return Response({
            "origin_system": "Almoner", "name": "Custom fields",
            "description": "The custom fields of people in the organization of this key.",
            "action_network:custom_fields": [
                {"name": field.name, "notes": field.help_text or None, "numeric_id": field.pk} for field in fields()
            ],
            "_links": hal.links(self=hal.link("/metadata/custom_fields")),
        })  # fmt: skip
