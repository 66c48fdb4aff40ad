"""Where the search for duplicates listens: to contacts that were changed, and to what people say themselves."""

import uuid
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
    # Kept with the connection: what belongs to another thread's transaction is not there to be seen yet.
    waiting: dict[int, set[uuid.UUID]] = connection.__dict__.setdefault("looking_for_duplicates", {})
    waiting.setdefault(tenant_id, set()).update(uids)
    transaction.on_commit(lambda: _ring(tenant_id, waiting), robust=True)


def _ring(tenant_id: int, waiting: dict[int, set[uuid.UUID]]) -> None:
    from contacts import jobs

    if uids := waiting.pop(tenant_id, None):
        jobs.look_for_duplicates_of(tenant_id, uids)


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
