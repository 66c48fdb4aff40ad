"""What people must hear about a connection, said once."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

from contacts.models import Role, StaffMember
from integrations.models import Connection

log = logging.getLogger(__name__)


def reconnect_needed(connection: Connection, sentence: str) -> None:
    """Pause the connection and tell the organization's owners and managers, once; what is due stays due (L28)."""
    with transaction.atomic():
        changed = (
            Connection.objects.filter(pk=connection.pk)
            .exclude(state__in=[Connection.State.RECONNECT, Connection.State.NOT_CONNECTED])
            .update(state=Connection.State.RECONNECT, reason=sentence, last_error=sentence)
        )
        connection.state = Connection.State.RECONNECT
        if not changed:
            return
        log.warning("reconnect needed", extra={"connection": connection.pk})
        addresses = [
            member.user.email
            for member in StaffMember.objects.filter(role__in=[Role.OWNER, Role.MANAGER], user__is_active=True)
            .select_related("user")
        ]  # fmt: skip
        transaction.on_commit(lambda: tell(connection, addresses, sentence))


def tell(connection: Connection, addresses: list[str], sentence: str) -> None:
    """One message each; a mail server that does not answer must not stop the work."""
    label = str(connection)
    body = (
        f"{connection.tenant} is no longer connected to {label}: {sentence}\n\n"
        f"Nothing is lost: changes made meanwhile are kept and go out as soon as somebody reconnects.\n"
        f"Reconnect here: {settings.PUBLIC_URL}/admin/\n"
    )
    for address in addresses:
        try:
            send_mail(f"{label} needs to be reconnected", body, None, [address])
        except OSError:
            log.exception("notice not sent", extra={"connection": connection.pk})
