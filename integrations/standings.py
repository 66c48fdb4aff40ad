"""Tells the page of a list how its members stand at each service; the reasons are those of the ledger (L34)."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Case, CharField, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse

from contacts.elsewhere import MOVING, NOT_YET, THERE, Service, Word
from contacts.models import Contact, ContactList
from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from integrations.mends import mend
from integrations.models import Connection, RemoteRecord
from integrations.models.remote import ON_ITS_WAY
from integrations.provider_kit.base import Can
from integrations.providers import all_providers
from integrations.sync.taking_back import TAKEN_BACK
from integrations.words import Explained, explain

AREA = "integrations"
State, Kind = RemoteRecord.State, RemoteRecord.Kind
ON_THIS_LIST, NO_LIST = "dnc_list", "list_not_there_yet"


def connections_of(request: HttpRequest) -> list[Connection]:
    """The connections that lists are kept in step with; asked for once for a page."""
    if not is_allowed(request, SEE, AREA):
        return []
    if not hasattr(request, "_connections"):
        able = [key for key, provider in all_providers().items() if Can.PUSH_LISTS in provider.can]
        request._connections = list(Connection.objects.filter(provider__in=able))  # type: ignore[attr-defined]
    found: list[Connection] = request._connections  # type: ignore[attr-defined]
    return [one for one in found if one.state != Connection.State.NOT_CONNECTED]


def is_there(record: RemoteRecord | None) -> bool:
    """Whether the list exists at the service, as far as we know."""
    return record is not None and bool(record.known.get("names"))


class Standings:
    """What `contacts.elsewhere` asks for."""

    def services(self, request: HttpRequest, contact_list: ContactList) -> list[Service]:
        connections = connections_of(request) if contact_list.synchronize else []
        if not connections:
            return []
        records = {
            row.connection_id: row
            for row in RemoteRecord.objects.filter(
                connection__in=connections, kind=Kind.LIST, subject_uid=contact_list.uid
            )
        }
        return [Service(one.provider, str(one), standing_at(one, is_there(records.get(one.pk)))) for one in connections]

    def title(self, service: Service, code: str) -> str:
        return explained(code, service.label).title

    def words(
        self, request: HttpRequest, contact_list: ContactList, services: Sequence[Service], places: Sequence[Any]
    ) -> Mapping[int, list[Word]]:
        if not services or not places:
            return {}
        connections = {one.provider: one for one in connections_of(request)}
        records: Any = RemoteRecord.objects.filter(
            connection__in=[one.pk for one in connections.values()], kind=Kind.CONTACT,
            subject_uid__in=[place.contact.uid for place in places],
        )  # fmt: skip
        by_subject = {(row.connection_id, row.subject_uid): row for row in records}
        found: dict[int, list[Word]] = {}
        for place in places:
            for one in services:
                connection = connections[one.key]
                record = by_subject.get((connection.pk, place.contact.uid))
                word = word_of(request, connection, record, place, getattr(place, f"at_{one.key}"))
                found.setdefault(place.pk, []).append(word)
        return found

    def of_lists(self, request: HttpRequest, lists: Sequence[ContactList]) -> Mapping[int, list[tuple[str, str]]]:
        connections = {one.pk: one for one in connections_of(request)}
        kept = [one for one in lists if one.synchronize]
        if not connections or not kept:
            return {}
        rows = RemoteRecord.objects.filter(
            connection__in=list(connections), kind=Kind.LIST, subject_uid__in=[one.uid for one in kept]
        )
        records = {(row.connection_id, row.subject_uid): row for row in rows}
        return {
            one.pk: [in_brief(connection, records.get((pk, one.uid))) for pk, connection in connections.items()]
            for one in kept
        }

    def asked_to_confirm(self, request: HttpRequest, contact: Contact) -> Sequence[str]:
        connections = {one.pk: str(one) for one in connections_of(request)}
        rows = RemoteRecord.objects.filter(
            connection__in=list(connections), kind=Kind.CONTACT, subject_uid=contact.uid, state=State.WAITING
        )
        waiting = set(rows.values_list("connection", flat=True)) if connections else set()
        return [name for pk, name in connections.items() if pk in waiting]


def standing_at(connection: Connection, list_is_there: bool) -> Case:
    """How a place on a list stands at this connection: as its contact's row of the ledger has it, but for what
    concerns this one list."""
    records = RemoteRecord.objects.filter(
        connection=connection, kind=Kind.CONTACT, subject_uid=OuterRef("contact__uid")
    ).order_by()
    settled = Case(
        When(ON_ITS_WAY, then=Value(MOVING)),
        When(state=State.OK, effect=RemoteRecord.Effect.DONE, then=Value(THERE if list_is_there else NO_LIST)),
        When(~Q(state=State.OK) & ~Q(reason_code=""), then=F("reason_code")),
        When(~Q(state=State.OK), then=Value("refused")),
        default=Value(NOT_YET),
        output_field=CharField(),
    )
    return Case(
        When(contact__do_not_contact=False, do_not_contact=True, then=Value(ON_THIS_LIST)),
        default=Coalesce(Subquery(records.annotate(how=settled).values("how")[:1]), Value(NOT_YET)),
        output_field=CharField(),
    )


def explained(code: str, service: str, said: str = "") -> Explained:
    """A reason as it is said about one list."""
    if code == NOT_YET:
        return Explained(
            code, "Not sent yet", f"Nothing was sent to {service} about this person so far.",
            "Press Sync on the Integrations page if it stays so.", False,
        )  # fmt: skip
    reason = explain(code, said, service)
    if code == ON_THIS_LIST:
        return Explained(
            code, reason.title, "Do Not Contact is set for this person on this list.",
            "Nothing to do. Clear it here only if the person asked for it.", False,
        )  # fmt: skip
    return reason


HEADLINES = {
    State.SET_ASIDE: ("Refused", "bad"), State.HELD: ("Held", "warn"), State.WAITING: ("Asked to confirm", "info"),
}  # fmt: skip


def word_of(
    request: HttpRequest, connection: Connection, record: RemoteRecord | None, place: Any, standing: str
) -> Word:
    """How one member stands at one service."""
    service = str(connection)
    if standing == THERE:
        return Word(service, f"At {service}", "good")
    if standing == MOVING:
        return Word(service, "On the way", "info", sentence=record.reason if record else "")
    reason = explained(standing, service, record.reason if record and record.reason_code == standing else "")
    headline, tone = HEADLINES.get(State(record.state) if record else State.OK, (f"Not at {service}", "plain"))
    if standing in (ON_THIS_LIST, NOT_YET):
        headline, tone = f"Not at {service}", "plain"
    word: dict[str, Any] = {}
    email = str(place.contact.primary_email or "")
    if standing != ON_THIS_LIST and (way := mend(request, standing, connection, email)):
        word["mend"], word["mend_at"] = way
    stuck = record is not None and not record.is_on_its_way and record.state in (State.SET_ASIDE, State.SKIPPED)
    if stuck and reason.retry_helps and record is not None and is_allowed(request, CHANGE, AREA):
        fields = {"record": str(record.pk), "back": f"{request.get_full_path()}#members"}
        word |= {"button": reason.button, "action": reverse("integrations:retry"), "fields": fields}
    return Word(service, headline, tone, reason.title, reason.sentence, reason.remedy, **word)


def in_brief(connection: Connection, record: RemoteRecord | None) -> tuple[str, str]:
    """How a list stands at a service, in a few words."""
    if record is not None and record.state == State.SET_ASIDE:
        return f"{connection}: refused", "bad"
    if record is not None and record.state == State.HELD:
        is_back = record.reason_code == TAKEN_BACK
        return f"{connection}: {'taken back' if is_back else 'waits for an answer'}", "warn"
    if not is_there(record):
        return f"{connection}: not there yet", "plain"
    return f"{connection}: on its way" if record and record.due_at else f"{connection}: in step", "good"
