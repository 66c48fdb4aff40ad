"""People one by one: read, merge, write back. A PUT empties what it is not sent, so nothing is written unread.

Permission is written in four places only: somebody new is `implicit`; `unsubscribed` carries out an opt-out;
`implicit` again undoes one that the account itself had made (L15); a confirmation is asked for. Every other write sends
the permission just as it was read, and never `sign_up_form`, which would opt people in again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from integrations.provider_kit.errors import CallFailed, Done, Outcome, Refused
from integrations.provider_kit.states import Member, Operation, Standing, Verb
from integrations.providers.constant_contact import members, reading
from integrations.providers.constant_contact.answers import ASKED, ASKED_BEFORE, EXISTS, NOT_FOUND, OPTED_OUT
from integrations.providers.constant_contact.api import Api, NamedRefusal
from integrations.providers.constant_contact.members import CORE, UNSUBSCRIBED, Row, Where, email_of, seen

CONTACTS = "/v3/contacts"
HEARS = (Standing.SUBSCRIBED, Standing.PENDING)
LEFT = (Standing.UNSUBSCRIBED, Standing.CLEANED)
GONE = Done(answer="Nobody is there under this address any more.")
ASKED_INSTEAD = (
    "Constant Contact lets only the person undo their unsubscribe, so Constant Contact has asked them by email to "
    "confirm."
)
TOOK_OVER = "The new address was in Constant Contact already; that entry is used now, and the old one is on no list."


def carry_out(api: Api, where: Where, operation: Operation) -> Outcome:
    """Do it; whatever the calls bring becomes an outcome."""
    try:
        return WORK[operation.verb](Person(api, where, operation))
    except CallFailed as failure:
        return failure.outcome


class Person:
    """One operation on its way, and the calls about one contact."""

    def __init__(self, api: Api, where: Where, operation: Operation) -> None:
        self.api, self.where, self.operation = api, where, operation
        self.before, self.after = operation.before, operation.after
        self.changed_at: datetime | None = None  # before we came, of whom we wrote over

    @property
    def has_moved(self) -> bool:
        """Whether the address is to be another one."""
        return self.before is not None and self.before.address.lower() != self.after.address.lower()

    def find(self) -> Row | None:
        """The contact as known before, by the id that survives a change of address, else by the address."""
        known = self.before or self.after
        return reading.find(self.api, known.address, known.remote_id)

    def names(self, row: Row | None) -> dict[str, str]:
        """The fields that are ours to send to this contact; to a new one, all of them."""
        fields = self.after.fields if row is None else self.operation.fields_for(members.fields_of(row, self.where))
        return {name: fields[name] for name in self.where.fields if name in fields}

    def lists(self, row: Row | None, *, left: Iterable[str] = ()) -> list[str]:
        """The lists to write: theirs as they are, ours as wanted. `left` are further ones of ours to leave."""
        leaving = (self.before.lists if self.before else frozenset()) - self.after.lists
        theirs = set(row.get("list_memberships") or ()) if row else set()
        kept = theirs - self.where.ids_of(leaving) - self.where.ids_of(left)
        return sorted(kept | self.where.ids_of(self.after.lists))

    def create(self, permission: str = "implicit") -> Row:
        """A new contact."""
        body = {
            "email_address": {"address": self.after.address, "permission_to_send": permission},
            **{name: value for name, value in self.names(None).items() if value},
            "create_source": "Account", "list_memberships": self.lists(None),
        }  # fmt: skip
        row: Row = self.api.call("POST", CONTACTS, json=body)
        return row

    def put(
        self, row: Row, lists: list[str] | None, *, address: str = "", permission: str = "", source: str = "Account",
        fields: Mapping[str, str] | None = None,
    ) -> Row:  # fmt: skip
        """Write the contact back with something changed; nothing is called if nothing would be."""
        email, self.changed_at = email_of(row), members.changed_at(row)
        body: dict[str, Any] = {name: row[name] for name in CORE if row.get(name) not in (None, "")}
        body |= self.names(row) if fields is None else fields
        # As it was read: another permission would opt somebody in, or out, whom nobody asked about.
        permission = permission or str(email.get("permission_to_send") or "implicit")
        address = address or str(email.get("address") or "")
        body["email_address"] = {"address": address, "permission_to_send": permission}
        if permission == UNSUBSCRIBED and email.get("opt_out_reason"):
            body["email_address"]["opt_out_reason"] = email["opt_out_reason"]
        body["update_source"] = source
        theirs = sorted(row.get("list_memberships") or ())
        if lists is not None and lists != theirs:
            body["list_memberships"] = lists  # left out they are kept, should somebody change them there meanwhile
        is_same = address == email.get("address") and permission == email.get("permission_to_send")
        is_same &= all((row.get(name) or "") == body.get(name, "") for name in CORE)
        if is_same and "list_memberships" not in body and not row.get("deleted_at"):
            return row
        path = f"{CONTACTS}/{quote(str(row['contact_id']), safe='')}"
        written: Row = self.api.call("PUT", path, json=body)
        return self.checked(row, written, lists)

    def checked(self, row: Row, written: Row, lists: list[str] | None) -> Row:
        """That the lists of a PUT replace the ones before is what the vendor's text implies, and unconfirmed. Where the
        answer shows that they did not, whoever should have left is taken off by the call that only takes off."""
        shown = set(written.get("list_memberships") or ())
        surplus = shown - set(lists) if lists is not None else set()
        if surplus := surplus & set(row.get("list_memberships") or ()):
            body = {"source": {"contact_ids": [str(row["contact_id"])]}, "list_ids": sorted(surplus)[:50]}
            self.api.call("POST", "/v3/activities/remove_list_memberships", json=body)
        return written

    def done(self, row: Row, answer: str = "", *, ours: bool = True) -> Done:
        """It is so now."""
        now = members.now(row, self.operation, self.where, ours=ours)
        return Done(now=now.but(changed_at=self.changed_at), answer=answer)

    def found_out(self, there: Member) -> Done:
        """Somebody who has left there meanwhile: their word counts, under the address that they have here (L35)."""
        return Done(now=there.but(address=self.after.address))


def code_of(failure: CallFailed) -> str:
    """Our code of a refusal, "" for anything else."""
    return str(getattr(failure.outcome, "code", ""))


def create(person: Person) -> Outcome:
    """Somebody new. Whoever is there already, in whatever standing, is met as they are."""
    try:
        return person.done(person.create())
    except CallFailed as failure:
        if code_of(failure) != EXISTS:
            raise
        row = named_in(person, failure) or reading.search(person.api, person.after.address)
        if row is None:
            raise
    return meet(person, row)


def named_in(person: Person, failure: CallFailed) -> Row | None:
    """The contact whose id the refusal names, if it has this address: the text is the vendor's, not a contract."""
    row = reading.read(person.api, failure.contact_id) if isinstance(failure, NamedRefusal) else None
    if row is None or str(email_of(row).get("address") or "").lower() != person.after.address.lower():
        return None
    return row


def meet(person: Person, row: Row) -> Outcome:
    """Somebody who is there already gets our name and lists, and keeps everything else."""
    there = seen(row, person.where)
    if there.standing in (*LEFT, Standing.REMOVED):
        return Done(now=there)
    return person.done(write(person, row, person.lists(row)), ours=False)


def write(person: Person, row: Row, lists: list[str], **more: Any) -> Row:
    """A PUT; should they have unsubscribed between our reading and our writing, that is what is there now."""
    try:
        return person.put(row, lists, **more)
    except CallFailed as failure:
        if not isinstance(failure.outcome, Refused) or code_of(failure) in (EXISTS, NOT_FOUND):
            raise
        now = reading.read(person.api, str(row["contact_id"]))
        if now is None or seen(now, person.where).standing == seen(row, person.where).standing:
            raise
        return now


def change(person: Person) -> Outcome:
    """Name, address or lists; the standing stays."""
    row = person.find()
    if row is None:
        return Done(now=person.after.but(standing=Standing.REMOVED, lists=frozenset()))
    there = seen(row, person.where)
    if there.standing in LEFT:
        return person.found_out(there)
    if there.standing == Standing.REMOVED:
        return Done(now=person.after.but(standing=Standing.REMOVED, lists=frozenset()))
    known = {person.after.address.lower(), person.before.address.lower() if person.before else ""}
    if there.address.lower() not in known:
        return Done(now=there)  # changed there: what to do about it is planned anew
    try:
        return person.done(write(person, row, person.lists(row), address=person.after.address))
    except CallFailed as failure:
        if not person.has_moved or not isinstance(failure.outcome, Refused):
            raise
        if code_of(failure) == EXISTS and (other := reading.search(person.api, person.after.address)) is not None:
            return take_over(person, row, other)
        return give_up_old(person, row, failure.outcome)


def take_over(person: Person, row: Row, other: Row) -> Outcome:
    """Somebody is there under the new address: theirs is used from now on, as it stands, and the old one given up
    (L16). A deleted entry is no withdrawal of consent: it is brought back."""
    retire(person, row)
    left = person.before and person.before.but(standing=Standing.ARCHIVED, lists=frozenset())
    there = seen(other, person.where)
    if there.standing in LEFT:
        return Done(now=there, left=left)
    is_gone = there.standing == Standing.REMOVED
    is_out = is_gone and email_of(other).get("permission_to_send") == UNSUBSCRIBED
    lists = sorted(set(other.get("list_memberships") or ()) | person.where.ids_of(person.after.lists))
    written = write(person, other, lists, permission="implicit" if is_out else "")
    return replace(person.done(written, TOOK_OVER, ours=is_gone), left=left)


def give_up_old(person: Person, row: Row, refused: Refused) -> Outcome:
    """The new address is refused, and the old one is not theirs any more: off our lists (L16)."""
    if person.before is None:
        return refused
    retire(person, row)
    return replace(refused, now=person.before.but(standing=Standing.ARCHIVED, lists=frozenset()))


def retire(person: Person, row: Row) -> None:
    """Give up an old entry: off every list of ours. A confirmation that was asked for is called off, or it would bring
    them back one day."""
    there = seen(row, person.where)
    if there.standing not in HEARS:
        return
    off = sorted(set(row.get("list_memberships") or ()) - person.where.uids.keys())
    permission = UNSUBSCRIBED if there.standing == Standing.PENDING else ""
    person.put(row, off, permission=permission, fields={})


def enable(person: Person) -> Outcome:
    """On lists again, by a recorded decision. Where only the person may undo an opt-out, they are asked (L15)."""
    row = person.find()
    if row is None:
        return create(person)
    there = seen(row, person.where)
    was_out = person.before is not None and person.before.standing == Standing.UNSUBSCRIBED
    if there.standing == Standing.UNSUBSCRIBED and not was_out:
        return person.found_out(there)  # they left after we had only taken them off our lists
    if there.standing == Standing.UNSUBSCRIBED and email_of(row).get("opt_out_source") == "Contact":
        return request(person, row, ASKED_INSTEAD)
    permission = "implicit" if email_of(row).get("permission_to_send") == UNSUBSCRIBED else ""
    lists = person.lists(row)
    try:
        written = person.put(row, lists, address=person.after.address, permission=permission)
    except CallFailed as failure:
        if code_of(failure) == EXISTS and person.has_moved:
            other = reading.search(person.api, person.after.address)
            return take_over(person, row, other) if other is not None else failure.outcome
        if code_of(failure) != OPTED_OUT:
            raise
        return request(person, row, ASKED_INSTEAD)
    return person.done(written)


def ask(person: Person) -> Outcome:
    """Asked by Constant Contact to confirm; whoever has confirmed or was asked before is left alone."""
    if person.has_moved and (old := person.find()) is not None:
        retire(person, old)
    row = reading.search(person.api, person.after.address)
    if row is None:
        # Unconfirmed whether the vendor mails them by itself. Nothing else is sent to them in any case.
        return person.done(person.create("pending_confirmation"))
    if seen(row, person.where).standing == Standing.UNSUBSCRIBED:
        return request(person, row)
    return person.done(person.put(row, person.lists(row)))


def request(person: Person, row: Row, answer: str = "") -> Outcome:
    """One mail that asks them to come back, the only one ever. Nothing is sent to them before they press the button."""
    path = f"{CONTACTS}/resubscribe/{quote(str(row['contact_id']), safe='')}"
    try:
        lists = sorted(person.where.ids_of(person.after.lists))
        person.api.call("PUT", path, json={"list_ids": lists}, may_be_empty=True)
    except CallFailed as failure:
        if isinstance(failure.outcome, Refused) and code_of(failure) in (EXISTS, OPTED_OUT, "name_taken", "refused"):
            return Refused(ASKED, ASKED_BEFORE)
        raise
    now = members.now(row, person.operation, person.where)
    return Done(now=now.but(address=person.after.address, standing=Standing.PENDING), answer=answer)


def opt_out(person: Person) -> Outcome:
    """Unsubscribed, and off our lists. Who is said to have done it is the truth: only the person can undo their own."""
    row = person.find()
    if row is None:
        return GONE
    there = seen(row, person.where)
    if there.standing == Standing.REMOVED:
        return Done(now=person.after)  # deleted there: nothing is sent to them
    off = sorted(set(row.get("list_memberships") or ()) - person.where.uids.keys())
    is_out = email_of(row).get("permission_to_send") == UNSUBSCRIBED
    source = "Contact" if person.operation.by_person and not is_out else "Account"
    done = person.done(person.put(row, off, permission=UNSUBSCRIBED, source=source, fields={}))
    return replace(done, now=done.now and done.now.but(standing=Standing.UNSUBSCRIBED))


def disable(person: Person) -> Outcome:
    """On no list of ours: no mail through us, no withdrawal of consent. Lists of theirs stay (L33)."""
    row = person.find()
    if row is None:
        return GONE
    there = seen(row, person.where)
    if there.standing in LEFT:
        return Done(now=there)
    if there.standing == Standing.REMOVED:
        return Done(now=person.after)
    off = sorted(set(row.get("list_memberships") or ()) - person.where.uids.keys())
    person.put(row, off, fields={})
    return Done(now=person.after.but(remote_id=there.remote_id))


WORK = {
    Verb.CREATE: create,
    Verb.ENABLE: enable,
    Verb.ASK: ask,
    Verb.UPDATE: change,
    Verb.OPT_OUT: opt_out,
    Verb.DISABLE: disable,
}
