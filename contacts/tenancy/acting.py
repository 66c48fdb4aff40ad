"""Who is acting: the person, staff member or system to whom a change is attributed, wherever it happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import models


class By(models.TextChoices):
    """The three kinds of actor; a *person* is the contact themself, acting at a vendor or through a form."""

    PERSON = "person", "The person"
    STAFF = "staff", "Staff"
    SYSTEM = "system", "Almoner"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it (`user` for staff), and from where in plain words, such as “Mailchimp webhook”."""

    by: str = By.SYSTEM
    user: Any = None
    source: str = "Almoner"
    name: str = ""  # of a program that acts, where the source says something else

    @property
    def label(self) -> str:
        """The name shown in histories; it outlives the user's row."""
        program = self.name or (self.source if self.by == By.SYSTEM else "")
        return str(self.user) if self.user else program or By(self.by).label


_acting: ContextVar[Actor | None] = ContextVar("acting", default=None)


def actor() -> Actor:
    """Who is acting now; Almoner itself when nobody said otherwise."""
    return _acting.get() or Actor()


@contextmanager
def acting(by: str, source: str, user: Any = None, name: str = "") -> Iterator[None]:
    """Attribute every change inside to this actor."""
    token = _acting.set(Actor(by, user, source, name))
    try:
        yield
    finally:
        _acting.reset(token)
