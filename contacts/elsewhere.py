"""How the members of a list stand: can they be written to, and are they at the services that the list is kept in step
with. The page of a list counts and filters by it; an app above tells about its services with `tell_about_services`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db.models import Case, CharField, Count, Expression, FilteredRelation, Q, QuerySet, Value, When
from django.http import HttpRequest

from contacts.models import Contact, ContactList, EmailAddress

THERE, MOVING, NOT_YET, MISSING = "there", "moving", "not_yet", "missing"
REACHABLE, UNREACHABLE = "reachable", "unreachable"


@dataclass(frozen=True, slots=True)
class Service:
    """A service that this list is kept in step with. `standing` is, for a place on the list, THERE, MOVING, NOT_YET or
    the code of the reason why its contact is not there."""

    key: str
    label: str
    standing: Expression


@dataclass(frozen=True, slots=True)
class Word:
    """How one member stands at one service, in words. `mend` leads to `mend_at`, a place on their page where it begins
    with “#”; `button` posts `fields` to `action`."""

    service: str
    headline: str
    tone: str
    title: str = ""
    sentence: str = ""
    remedy: str = ""
    mend: str = ""
    mend_at: str = ""
    button: str = ""
    action: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


class Teller(Protocol):
    """What an app above knows about its services."""

    def services(self, request: HttpRequest, contact_list: ContactList) -> list[Service]:
        """The services that this list is kept in step with, as far as this person may know."""

    def title(self, service: Service, code: str) -> str:
        """A reason in a few words."""

    def words(
        self, request: HttpRequest, contact_list: ContactList, services: Sequence[Service], places: Sequence[Any]
    ) -> Mapping[int, list[Word]]:
        """{place on the list: how its contact stands at each service}, in a fixed number of queries; the places come
        with `at_<service>`."""

    def of_lists(self, request: HttpRequest, lists: Sequence[ContactList]) -> Mapping[int, list[tuple[str, str]]]:
        """{list: [(in a few words how it stands at a service, tone)]}, in a fixed number of queries."""

    def asked_to_confirm(self, request: HttpRequest, contact: Contact) -> Sequence[str]:
        """The services that have asked this person to confirm that they want mail again, and wait for the answer."""


_tellers: list[Teller] = []


def tell_about_services(teller: Teller) -> None:
    """Called once by an app above, when it is ready."""
    if teller not in _tellers:
        _tellers.append(teller)


def teller() -> Teller | None:
    """Who knows about services, if anybody does."""
    return _tellers[0] if _tellers else None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many members there are, how many can be written to, and how many stand how at each service."""

    members: int
    reachable: int
    services: Mapping[str, Mapping[str, int]]
    known: Sequence[Service]


def tally(request: HttpRequest, contact_list: ContactList) -> Tally:
    """Counted once for a page, in one query besides those of the services."""
    counted: dict[int, Tally] = request.__dict__.setdefault("_tallies", {})
    if contact_list.pk not in counted:
        told = teller()
        services = told.services(request, contact_list) if told else []
        counted[contact_list.pk] = _count(contact_list, services)
    return counted[contact_list.pk]


def _count(contact_list: ContactList, services: Sequence[Service]) -> Tally:
    members = reachable = 0
    standings: dict[str, Counter[str]] = {one.key: Counter() for one in services}
    names = [f"at_{one.key}" for one in services]
    rows: Any = with_standings(contact_list.memberships.order_by(), services)
    for can, *at, n in rows.values_list("can", *names).annotate(Count("pk")):
        members += n
        reachable += n if can == REACHABLE else 0
        for one, standing in zip(services, at, strict=True):
            standings[one.key][standing] += n
    return Tally(members, reachable, standings, services)


def with_standings(places: "QuerySet[Any]", services: Sequence[Service]) -> "QuerySet[Any]":
    """The places with `can` (whether their contact can be written to) and `at_…` for each service."""
    primary = Q(contact__email_addresses__is_primary=True)
    silent = Q(do_not_contact=True) | Q(contact__do_not_contact=True)
    can = Case(
        When(Q(mail__state=EmailAddress.State.OK) & ~silent, then=Value(REACHABLE)),
        default=Value(UNREACHABLE), output_field=CharField(),
    )  # fmt: skip
    mail = FilteredRelation("contact__email_addresses", condition=primary)
    return places.annotate(mail=mail).annotate(can=can, **{f"at_{one.key}": one.standing for one in services})


def narrowed(places: "QuerySet[Any]", services: Sequence[Service], show: str) -> "QuerySet[Any] | None":
    """The places that `show` names: reachable, unreachable, or `<service>:<how they stand>`; None for all of them."""
    key, _, standing = show.partition(":")
    if show in (REACHABLE, UNREACHABLE):
        return with_standings(places, []).filter(can=show)
    service = next((one for one in services if one.key == key), None)
    if service is None or not standing:
        return None
    rows, name = with_standings(places, [service]), f"at_{key}"
    if standing == MISSING:
        return rows.exclude(**{f"{name}__in": [THERE, MOVING]})
    return rows.filter(**{name: standing})
