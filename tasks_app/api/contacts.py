"""The addresses of contacts: look somebody up, add somebody who is not here yet (T6)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from contacts import meeting
from contacts.api.problems import Problem
from contacts.api.views import Done, WriteView
from contacts.models import Contact
from tasks_app.api import bodies, shown
from tasks_app.api.tasks import SCOPE

SYSTEM = "Video app"  # what its ids are called among the identifiers of a contact
LOOK_UP: dict[str, Callable[[str], list[Contact]]] = {
    "custom_user_id": partial(meeting.by_custom_user_id, system=SYSTEM),
    "email": meeting.by_email, "phone": meeting.by_phone,
}  # fmt: skip


class Contacts(WriteView):
    """GET looks up, POST adds without duplicating."""

    scope = SCOPE
    body = bodies.NewContact

    def get(self, request: Request) -> Response:
        """Whoever has this id, address or number; nobody is an empty list."""
        ((name, value),) = self.asked(bodies.ContactQuery).items()
        try:
            found = LOOK_UP[name](value)
        except meeting.NoSuchNumber:
            found = []
        return Response({"results": shown.contacts(found)})

    def act(self, given: dict[str, Any], **address: Any) -> Done:
        try:
            contact, is_new = meeting.find_or_add(given, SYSTEM)
        except meeting.NoSuchNumber as why:
            raise Problem(422, "invalid", "Nothing was done.", [{"field": "phone", "message": str(why)}]) from None
        return (201 if is_new else 200), {
            "id": str(contact.uid), "is_new": is_new, "do_not_contact": contact.do_not_contact,
        }  # fmt: skip
