"""Where this app listens to the apps below: it marks in the transaction of the change and nudges after it."""

import uuid
from typing import Any

from contacts import signals
from integrations import jobs
from integrations.sync import interactions, outbox
from tasks_app import signals as task_signals


def connect() -> None:
    """Start listening; called once when the app is ready."""
    signals.contacts_changed.connect(on_contacts_changed, dispatch_uid="integrations.contacts_changed")
    signals.lists_changed.connect(on_lists_changed, dispatch_uid="integrations.lists_changed")
    task_signals.task_progressed.connect(on_task_progressed, dispatch_uid="integrations.task_progressed")


def on_contacts_changed(
    sender: Any, tenant_id: int, uids: list[uuid.UUID], cause: str, is_opt_out: bool, **kwargs: Any
) -> None:
    """Contacts, or what hangs on them, were changed or deleted."""
    for connection in outbox.mark_contacts(tenant_id, uids, cause, is_opt_out):
        jobs.nudge(connection)


def on_lists_changed(sender: Any, tenant_id: int, uids: list[uuid.UUID], cause: str, **kwargs: Any) -> None:
    """Lists were added, renamed, flagged or deleted."""
    for connection in outbox.mark_lists(tenant_id, uids, cause):
        jobs.nudge(connection)


def on_task_progressed(sender: Any, tenant_id: int, event_pks: list[int], **kwargs: Any) -> None:
    """A thank-you video was sent, watched or replied to."""
    for connection in interactions.note(tenant_id, event_pks):
        jobs.nudge(connection)
