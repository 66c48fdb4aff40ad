"""How gifts that a service sent are thanked for: as its switch says, a task or a note, or as the organization has set
it for all (D6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from integrations.models import Connection
from integrations.provider_kit.base import Can
from integrations.providers import all_providers
from tasks_app.services import decide_for

CHOICE = "thank_with"  # in the connection's settings
CHOICES = {"": "As set for all thank-yous", "task": "A thank-you for somebody to do", "note": "A note by email"}

_taking_in: ContextVar[str | None] = ContextVar("thanking", default=None)


def register() -> None:
    """Called once when the app is ready."""
    for key, provider in all_providers().items():
        if Can.PULL_GIFTS in provider.can:
            decide_for(key, decide)


def choice_of(connection: Connection) -> str:
    """What was chosen at its switch; "" leaves it to the organization's settings."""
    chosen = str(connection.settings.get(CHOICE, ""))
    return chosen if chosen in CHOICES else ""


def decide(gift: Any) -> str | None:
    """What is made for this gift. While a page is taken in, it is known for all of them."""
    chosen = _taking_in.get()
    if chosen is None:
        connection = Connection.objects.filter(provider=gift.source).first()
        chosen = choice_of(connection) if connection else ""
    return chosen or None


@contextmanager
def thanking_as(chosen: str) -> Iterator[None]:
    """The gifts that are taken in meanwhile are thanked so."""
    token = _taking_in.set(chosen)
    try:
        yield
    finally:
        _taking_in.reset(token)
