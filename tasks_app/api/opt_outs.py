"""When somebody is put under Do Not Contact, or is no longer, their open tasks count as changed: the video app hears of
it, and sends them nothing."""

import uuid
from collections.abc import Collection
from typing import Any

from contacts import signals
from contacts.models import Contact
from contacts.models.recorded import chunks
from contacts.tenancy import keys
from tasks_app import asking
from tasks_app.models import ThankYou


def connect() -> None:
    """Called once when the app is ready; from then on keys can be made for this API."""
    keys.offer("video", "Video app: read and claim thank-yous, report on videos, look up and add contacts")
    signals.contacts_changed.connect(hear, dispatch_uid="tasks_app.api.opt_outs")


def hear(sender: Any, uids: Collection[uuid.UUID | None], **more: Any) -> None:
    """A new name or address counts as well: the task shows it."""
    for part in chunks(sorted(uid for uid in uids if uid)):
        pks = Contact.objects.filter(uid__in=part).order_by().values_list("pk", flat=True)
        asking.touch(list(ThankYou.objects.open().filter(contact__in=list(pks)).order_by("pk")))
