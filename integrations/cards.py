"""The cards on a contact's and a list's page: how they stand at each service, why, and what was sent (L30, L34)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime

from contacts import households
from contacts.duplicates.identities import uids_of
from contacts.elsewhere import MOVING, THERE, tally
from contacts.models import ConsentEvent, Contact, ContactList
from contacts.tenancy.acting import By
from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from contacts.timeline import consent_of, subject_of, vendor_of, where
from integrations.allowance import moment
from integrations.check_words import tell_found
from integrations.checkup import of_contact, of_list
from integrations.mends import mends, unblock
from integrations.models import Connection, Delivery, RemoteRecord, RunItem
from integrations.provider_kit.base import Can
from integrations.provider_kit.states import Owner, same_value
from integrations.providers import all_providers
from integrations.shown import Names, lists_in, show_deliveries
from integrations.sync import people, slices
from integrations.sync.owners import wanted_there
from integrations.sync.slices import is_urgent
from integrations.words import FIELDS, STANDINGS, Explained, explain

State = RemoteRecord.State
PER_PAGE = 10
AREA = "integrations"


@dataclass(slots=True)
class Standing:
    """How one contact or list stands at one service."""

    connection: Connection
    record: RemoteRecord | None
    headline: str
    tone: str
    places: list[str]
    reason: Explained | None = None
    retry: bool = False
    note: str = ""
    mends: list[tuple[str, str]] = field(default_factory=list)  # buttons: (words, address)


def _connections(ability: Can) -> list[Connection]:
    able = [key for key, provider in all_providers().items() if ability in provider.can]
    return list(Connection.objects.filter(provider__in=able))


def contact_card(request: HttpRequest, contact: Contact) -> str:
    """One card for all services: the state now, the reason when not sent, and what was sent."""
    connections = _connections(Can.PUSH_CONTACTS) if is_allowed(request, SEE, AREA) else []
    if not connections:
        return ""
    records = {r.connection_id: r for r in RemoteRecord.objects.filter(subject_uid=contact.uid, kind="contact")}
    known = [m for r in records.values() for m in r.containers.values()]
    names = Names([], lists_in(known)).list_names
    standings = [contact_standing(c, records.get(c.pk), contact, names) for c in connections]
    primary, differing = contact.primary_email, of_contact(contact.uid)
    for standing in standings:
        code = standing.reason.code if standing.reason else ""
        stuck = unblock(request, standing.connection)
        said = {words for one in standings for words, _ in one.mends}  # one button of a kind on a page is enough
        ways = [way for way in mends(request, code, standing.connection, str(primary or "")) if way[0] not in said]
        standing.mends = ways + ([stuck] if stuck else [])
        if item := differing.get(standing.connection.pk):
            add_difference(standing, item)
    name_the_place(contact, standings)
    # A service holds one record for all who have an address (L8).
    shared_with = [str(one) for one in households.sharing(contact)[:5]]
    return _card(request, "contact", contact.uid, standings, shared_with=shared_with)


def name_the_place(contact: Contact, standings: list[Standing]) -> None:
    """Somebody may have unsubscribed at another service than the one that does not send to them: say where (L34)."""
    out = [one for one in standings if one.reason is not None and one.reason.code == "opted_out"]
    if not out:
        return
    events = consent_of(subject_of(contact, uids_of(contact))).filter(by=By.PERSON, kind=ConsentEvent.Kind.OPT_OUT)
    event = events.order_by("-at", "-pk").first()
    if event is None:
        return
    did = f"unsubscribed at {vendor_of(event.place)}" if event.place else f"opted out {where(event)}"
    sentence = f"This person {did} on {localtime(event.at):%B %-d, %Y}. Their own decision comes before every Sync."
    for one in out:
        if one.reason == explain("opted_out", service=str(one.connection)):  # nothing more particular is known
            one.reason = replace(one.reason, sentence=sentence)


def add_difference(standing: Standing, item: RunItem) -> None:
    """Say what the last check found of this contact, where nobody has decided about it yet (L31)."""
    found = tell_found(item, str(standing.connection))
    if standing.headline == "In step":
        standing.headline, standing.tone = found.label, found.tone
    if standing.reason is None:
        standing.note = f"Found by the check of {localtime(item.run.created_at):%B %-d, %H:%M}: {found.sentence}"
    standing.mends.append(("See what the check found", reverse("integrations:run", args=[item.run.uid])))


def contact_standing(connection: Connection, record: RemoteRecord | None, contact: Contact, names: Any) -> Standing:
    """The state of a contact at one service, in words."""
    places = _places(record, names, str(contact)) if record else []
    standing = Standing(connection, record, "In step", "good", places)
    code = record.reason_code if record else ""
    if record is None or (record.state == State.OK and record.due_at is None and not record.containers):
        person = people.load([contact.uid], []).people[str(contact.uid)]
        code = person.blocked or ("" if person.memberships else "not_on_a_list")
        standing.headline, standing.tone = ("Not sent", "plain") if code else ("Not sent yet", "info")
    elif record.is_on_its_way:
        standing.headline, standing.tone = "A change is on its way", "info"
        standing.note = record.reason
    elif record.state != State.OK:
        standing.headline, standing.tone = {
            State.SET_ASIDE: ("Refused", "bad"),
            State.HELD: ("Held", "warn"),
            State.WAITING: ("Waits for the person", "info"),
        }.get(State(record.state), ("Not sent", "plain"))
    if code:
        standing.reason = explain(code, record.reason if record else "", str(connection))
        stuck = record is not None and not record.is_on_its_way and record.state in (State.SET_ASIDE, State.SKIPPED)
        standing.retry = stuck and standing.reason.retry_helps
    _add_pause(standing)
    standing.note = standing.note or stays_apart(connection, record, contact)
    return standing


def stays_apart(connection: Connection, record: RemoteRecord | None, contact: Contact) -> str:
    """Say so when a name there is another one and stays so, because the settings let theirs count (L22)."""
    policy = slices.policy_of(connection)
    if record is None or not any(policy.owners.get(name) in (Owner.THEIRS, Owner.FILL) for name in policy.fields):
        return ""
    here = people.sent(
        policy, people.named(contact.kind, contact.first_name, contact.last_name, contact.organization_name)
    )
    is_own = contact.kind == Contact.Kind.PERSON and not households.sharing(contact).exists()
    said = [
        f"{FIELDS[name]} at {connection}: “{value or '–'}”. It stays so, as your settings for {connection} say."
        for member in slices.members_known(record).values() if is_own and not member.joint
        for name, value in member.fields.items()
        if name in here and not same_value(value, here[name])
        and same_value(wanted_there(policy.owners.get(name, Owner.OURS), here[name], value), value)
    ]  # fmt: skip
    return " ".join(dict.fromkeys(said))


def _add_pause(standing: Standing) -> None:
    """Say so when nothing can move on this connection."""
    connection = standing.connection
    if connection.state == Connection.State.RECONNECT:
        standing.note = f"{connection} has to be reconnected before anything goes out."
    elif connection.state == Connection.State.NOT_CONNECTED:
        standing.headline, standing.tone = "Not connected", "plain"
        standing.reason, standing.retry = None, False
    elif connection.state != Connection.State.ACTIVE:
        standing.note = "Nothing is sent before the first Sync is confirmed."
    elif standing.record is not None and waits_for_calls(connection, standing.record):
        standing.note = f"{connection.bulk_reason} It goes out by itself {calls_again(connection, standing.record)}."
    elif connection.failures and standing.record is not None and standing.record.due_at is not None:
        standing.note = f"{connection} does not answer at the moment. Almoner tries again by itself; nothing is lost."


def waits_for_calls(connection: Connection, record: RemoteRecord) -> bool:
    """Whether this change waits until the vendor may be called again for such (L29)."""
    now = timezone.now()
    until = connection.retry_at if is_urgent(record) else connection.bulk_retry_at
    is_short = connection.bulk_retry_at is not None and connection.bulk_retry_at > now
    return record.is_on_its_way and is_short and until is not None and until > now


def calls_again(connection: Connection, record: RemoteRecord) -> str:
    """When there are calls again for this change, as “today at 19:00”."""
    until = (connection.retry_at if is_urgent(record) else connection.bulk_retry_at) or timezone.now()
    return moment(until, timezone.now())


def _places(record: RemoteRecord, names: Any, own_name: str = "") -> list[str]:
    """What is known there: “ana@river.org: subscribed, as “Ana and Ben”, on Newsletter and Volunteers”."""
    lines = []
    for member in record.containers.values():
        counts = member["standing"] in ("subscribed", "pending")
        on = sorted(names.get(uid, "a deleted list") for uid in member.get("lists", [])) if counts else []
        standing = STANDINGS.get(member["standing"], member["standing"])
        fields = member.get("fields", {})
        name = f"{fields.get('first_name', '')} {fields.get('last_name', '')}".strip()
        greeted = f", as “{name}”" if counts and name and name != own_name else ""
        lines.append(f"{member['address']}: {standing.lower()}{greeted}" + (f", on {', '.join(on)}" if on else ""))
    return lines


def list_card(request: HttpRequest, contact_list: ContactList) -> str:
    """What each service holds of this list, how many are in step, and how many are not; the page names them."""
    connections = _connections(Can.PUSH_LISTS) if is_allowed(request, SEE, AREA) else []
    if not connections:
        return ""
    records = {r.connection_id: r for r in RemoteRecord.objects.filter(subject_uid=contact_list.uid, kind="list")}
    standings = [list_standing(c, records.get(c.pk), contact_list) for c in connections]
    counted = tally(request, contact_list)
    for standing in standings:
        tell_members(standing, counted.services.get(standing.connection.provider, {}))
    checkups = of_list(contact_list.uid)
    figures = {
        c.pk: list_figures(c, counted.services[c.provider]) | {"checkup": checkups.get(c.pk)}
        for c in connections if c.provider in counted.services
    }  # fmt: skip
    more = {"figures": figures, "members": counted.members, "subject": contact_list}
    return _card(request, "list", contact_list.uid, standings, **more)


def list_standing(connection: Connection, record: RemoteRecord | None, contact_list: ContactList) -> Standing:
    """The state of a list at one service, in words."""
    names = sorted(set(record.known.get("names", {}).values())) if record else []
    places = [f"There as “{name}”" for name in names]
    headline, tone = ("In step", "good") if names else ("Not there yet", "info")
    standing = Standing(connection, record, headline, tone, places)
    if record is not None and record.is_on_its_way:
        standing.headline, standing.tone, standing.note = "A change is on its way", "info", record.reason
    elif record is not None and record.state == State.SET_ASIDE:
        standing.headline, standing.tone, standing.retry = "Refused", "bad", True
        standing.reason = explain(record.reason_code, record.reason, str(connection))
    elif not contact_list.synchronize:
        standing.headline, standing.tone = "Not synchronized", "plain"
        standing.note = "Its flag for synchronizing is off." + (" The list stays there, empty." if names else "")
    _add_pause(standing)
    return standing


def tell_members(standing: Standing, counts: Mapping[str, int]) -> None:
    """A list is in step when its members are: say so in the badge when some are on their way, or held off it."""
    if standing.headline != "In step":
        return
    moving = counts.get(MOVING, 0)
    missing = sum(n for code, n in counts.items() if code not in (THERE, MOVING))
    if moving:
        standing.headline, standing.tone = f"{moving:,} on the way", "info"
    elif missing:
        standing.headline, standing.tone = f"In step but for {missing:,}", "plain"


def list_figures(connection: Connection, standings: Mapping[str, int]) -> dict[str, Any]:
    """How many members are there, on their way, and not there; the table of members names them, with the reasons."""
    missing = sum(n for code, n in standings.items() if code not in (THERE, MOVING))
    there, moving = standings.get(THERE, 0), standings.get(MOVING, 0)
    return {"key": connection.provider, "there": there, "moving": moving, "missing": missing}


def history_page(connection: Connection, uid: UUID, page: int = 1) -> dict[str, Any]:
    """A page of what was sent about this contact or list."""
    rows = Delivery.objects.filter(connection=connection, subject_uid=uid).order_by("-at", "-pk")
    found = Paginator(rows, PER_PAGE).get_page(page)
    return {"connection": connection, "uid": uid, "page": found, "rows": show_deliveries(found)}


def _card(request: HttpRequest, kind: str, uid: UUID, standings: list[Standing], **more: Any) -> str:
    figures = more.pop("figures", {})
    services = [
        {"standing": s, "history": history_page(s.connection, uid), "figures": figures.get(s.connection.pk)}
        for s in standings
    ]
    context = {
        "kind": kind, "uid": uid, "services": services, "may_change": is_allowed(request, CHANGE, AREA),
        "back": request.get_full_path(), **more,
    }  # fmt: skip
    template = "list" if kind == "list" else "subject"
    return render_to_string(f"integrations/cards/{template}.html", context, request)
