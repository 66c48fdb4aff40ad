"""Where the search for duplicates listens: to contacts that were changed, and to what people say themselves."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models.signals import post_save

from contacts import signals
from contacts.duplicates.identities import now_of
from contacts.models import ConsentEvent
from contacts.tenancy.acting import By

# Changes that make nobody look like somebody else, by how their cause begins.
DO_NOT_MATTER = (
    "Do Not Contact", "Place on a list", "Tag ", "List ", "Synchronizing", "Identifier", "Custom field", "Merge",
    "Contact deleted",
)  # fmt: skip


def connect() -> None:
    """Start listening; called once when the app is ready."""
    signals.contacts_changed.connect(on_contacts_changed, dispatch_uid="contacts.duplicates.changed")
    post_save.connect(on_word, sender=ConsentEvent, dispatch_uid="contacts.duplicates.word")


def on_contacts_changed(sender: Any, tenant_id: int, uids: list[uuid.UUID], cause: str, **kwargs: Any) -> None:
    """One job for all changes of a transaction. What a lost job leaves out, the next night finds."""
    if cause.startswith(DO_NOT_MATTER):
        return
    for _, waiting, *_ in connection.run_on_commit:
        if isinstance(waiting, Ring) and waiting.tenant_id == tenant_id:
            waiting.uids.update(uids)
            return
    transaction.on_commit(Ring(tenant_id, set(uids)), robust=True)


@dataclass(slots=True)
class Ring:
    """Waits for the end of a transaction with whom it has changed; when that is taken back, this goes with it."""

    tenant_id: int
    uids: set[uuid.UUID]

    def __call__(self) -> None:
        from contacts import jobs

        jobs.look_for_duplicates_of(self.tenant_id, self.uids)


def on_word(sender: Any, instance: ConsentEvent, created: bool, **kwargs: Any) -> None:
    """Somebody who was merged into another contact opted out under their old address: the one that they are part of
    now must be looked at again."""
    if not created or instance.by != By.PERSON:
        return
    kept = now_of([instance.contact_uid]).get(instance.contact_uid)
    if kept is not None:
        signals.contacts_changed.send(
            ConsentEvent, tenant_id=instance.tenant_id, uids=[kept], cause=f"{instance.get_kind_display()} under an "
            "address from before a merge", is_opt_out=instance.kind == ConsentEvent.Kind.OPT_OUT,
        )  # fmt: skip
