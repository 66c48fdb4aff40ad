"""People one by one: whatever is a decision about somebody, and every change of an address.

`status: subscribed` stands in this file only: in `enable`, which carries out a recorded decision of the person, and in
`take_over`, where somebody subscribed gets another address (L24a).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

from integrations.provider_kit.errors import CallFailed, Done, Outcome, Refused
from integrations.provider_kit.states import Operation, Standing, Verb
from integrations.providers.mailchimp import members, tags
from integrations.providers.mailchimp.api import Api, hash_of
from integrations.providers.mailchimp.members import Container

QUERY = {"skip_merge_validation": "true"}
HEARS = (Standing.SUBSCRIBED, Standing.PENDING)
GONE = Done(answer="Nobody is there under this address any more.")
ASKED_INSTEAD = (
    "Mailchimp lets only the person undo their unsubscribe, so Mailchimp has asked them by email to confirm."
)
UNSEEN = "unsubscribed"  # the status_if_new of whoever should be there already: nobody is mailed by mistake
TOOK_OVER = "The new address was in the audience already; that entry is used now, and the old one was archived."


def carry_out(api: Api, where: Container, operation: Operation) -> Outcome:
    """Do it; whatever the calls bring becomes an outcome."""
    work = WORK[operation.verb]
    try:
        return work(Person(api, where, operation))
    except CallFailed as failure:
        return failure.outcome


class Person:
    """One operation on its way, and the calls about one member."""

    def __init__(self, api: Api, where: Container, operation: Operation) -> None:
        self.api, self.where, self.operation = api, where, operation
        self.before, self.after = operation.before, operation.after

    @property
    def old_address(self) -> str:
        """Where the person is found now."""
        return self.before.address if self.before else self.after.address

    @property
    def has_moved(self) -> bool:
        return self.old_address.lower() != self.after.address.lower()

    @cached_property
    def there(self) -> dict[str, Any] | None:
        """The member as they were before anything was written; looked up once, and only where it matters."""
        keys = [self.before.remote_id if self.before else "", hash_of(self.old_address), hash_of(self.after.address)]
        for key in filter(None, dict.fromkeys(keys)):
            try:
                return self.api.call("GET", "lists", self.where.audience, "members", key)
            except CallFailed as failure:
                if code_of(failure) != "not_found":
                    raise
        return None

    @property
    def merge_fields(self) -> dict[str, str]:
        """The fields to write, under Mailchimp's names; read before, where one of them is not ours alone (L22)."""
        if not self.operation.reads_first:
            return members.merge_fields(self.operation.fields_for())
        fields = self.after.fields if self.there is None else self.operation.fields_for(members.fields_of(self.there))
        return members.merge_fields(fields)

    @property
    def body(self) -> dict[str, Any]:
        return {"email_address": self.after.address, "merge_fields": self.merge_fields}

    def call(self, method: str, address: str, body: Mapping[str, Any] | None = None, *more: str) -> dict[str, Any]:
        """A call about the member with this address."""
        query = QUERY if method in ("PUT", "PATCH") else None
        return self.api.call(
            method, "lists", self.where.audience, "members", hash_of(address), *more, query=query, json=body
        )

    def look(self) -> dict[str, Any] | None:
        """The member under the new address, or None."""
        try:
            return self.call("GET", self.after.address)
        except CallFailed as failure:
            if code_of(failure) == "not_found":
                return None
            raise

    def reach(self, method: str, body: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """A call about the member wherever they are now: the address, and the answer. Mailchimp may not have told us
        yet that they changed their address; the id survives that."""
        try:
            return self.old_address, self.call(method, self.old_address, body)
        except CallFailed as failure:
            if code_of(failure) != "not_found" or not (self.before and self.before.remote_id):
                raise
        row = self.api.call("GET", "lists", self.where.audience, "members", self.before.remote_id)
        address = str(row["email_address"])
        self.untag(address)
        return address, self.call(method, address, body)

    def untag(self, address: str) -> None:
        """Off every list they were on, under this address."""
        lists = self.before.lists if self.before else frozenset()
        for outcome in tags.take_off(self.api, self.where, [(self.operation, address, lists)]).values():
            raise CallFailed(outcome)  # type: ignore[arg-type]  # trouble is never Done

    def tag(self, row: Mapping[str, Any]) -> None:
        """On the lists they should be on, off those they leave, whatever the answer shows of others who had the address
        before. `is_syncing`: no automation starts because of us."""
        left = (self.before.lists if self.before else frozenset()) | self.where.shown_lists(row)
        wanted = [(uid, "active") for uid in self.where.tagged(self.after.lists)]
        wanted += [(uid, "inactive") for uid in self.where.tagged(left - self.after.lists)]
        tags = [
            {"name": self.where.names[uid], "status": status} for uid, status in sorted(wanted) if self.where.names[uid]
        ]
        if tags:
            self.call("POST", self.after.address, {"tags": tags, "is_syncing": True}, "tags")

    def patch(self) -> dict[str, Any]:
        """Write the fields, unless they were read and nothing is to be written."""
        fields = self.merge_fields
        read = self.__dict__.get("there")
        return read if read and not fields else self.call("PATCH", self.after.address, {"merge_fields": fields})

    def met(self, row: Mapping[str, Any]) -> Done:
        """They are elsewhere, and nothing was written: what to do about it is planned anew."""
        return Done(now=members.seen(row, self.where))

    def done(self, row: Mapping[str, Any], answer: str = "", *, ours: bool = True) -> Done:
        now = members.now(row, self.operation, self.where, ours=ours)
        # When they were changed before we came; the answer tells when we did it.
        read = self.__dict__.get("there")
        return Done(now=now.but(changed_at=members.time_of(read.get("last_changed")) if read else None), answer=answer)


def code_of(failure: CallFailed) -> str:
    """Our code of a refusal, "" for anything else."""
    return str(getattr(failure.outcome, "code", ""))


def enable(person: Person) -> Outcome:
    """Subscribed again, because the person said so. Where only they may undo it, they are asked instead (L15)."""
    retire(person)
    answer = ""
    try:
        row = _subscribe(person)
    except CallFailed as failure:
        if code_of(failure) != "compliance":
            raise
        row, answer = person.call("PUT", person.after.address, {**person.body, "status": "pending"}), ASKED_INSTEAD
    person.tag(row)
    return person.done(row, answer)


def _subscribe(person: Person) -> dict[str, Any]:
    body = {**person.body, "status": "subscribed"}
    if person.before is None or person.before.standing in (Standing.ARCHIVED, Standing.REMOVED):
        try:
            # An archived member is brought back by an addition; they keep their history there.
            return person.api.call("POST", "lists", person.where.audience, "members", query=QUERY, json=body)
        except CallFailed as failure:
            if code_of(failure) != "address_taken":
                raise
    return person.call("PUT", person.after.address, body)


def ask(person: Person) -> Outcome:
    """Asked by Mailchimp to confirm; whoever has confirmed or was asked before is left alone."""
    retire(person)
    there = person.look()
    status = {"status": "pending"}
    if there is not None and there.get("status") in ("subscribed", "pending"):
        status = {"status_if_new": "pending"}
    row = person.call("PUT", person.after.address, {**person.body, **status})
    person.tag(row)
    return person.done(row)


def retire(person: Person) -> None:
    """Give up an old address that may still get mail (L16): off the lists, as it may come back by itself one day."""
    if not person.has_moved or person.before is None or person.before.standing not in HEARS:
        return
    person.untag(person.old_address)
    try:
        if person.before.standing == Standing.SUBSCRIBED:
            person.call("DELETE", person.old_address)
        elif person.before.standing == Standing.PENDING:
            # Somebody who has not confirmed cannot be archived.
            person.call("PATCH", person.old_address, {"status": "unsubscribed"})
    except CallFailed as failure:
        if code_of(failure) not in ("not_found", "not_possible"):
            raise


def change(person: Person) -> Outcome:
    """An update: another address, or new details of somebody who is not subscribed. The standing stays as it is."""
    if person.has_moved:
        return move(person)
    if person.operation.reads_first:
        if person.there is None:
            return GONE
        if str(person.there.get("email_address")).lower() != person.after.address.lower():
            return person.met(person.there)
    try:
        row = person.patch()
    except CallFailed as failure:
        if code_of(failure) == "not_found":
            return GONE
        raise
    person.tag(row)
    return person.done(row)


def move(person: Person) -> Outcome:
    """Another address for the same member, who keeps their id and history. The old one never stays subscribed (L16)."""
    if person.before is None or person.before.standing != Standing.SUBSCRIBED:
        return Refused(
            "cannot_change_address",
            "Mailchimp changes the address of subscribed people only, and this person is not subscribed there.",
        )
    # status_if_new is for the case that the person vanished there meanwhile, and lets nobody be mailed who may have
    # left under an address we were not told of; somebody who is there keeps their standing.
    body = {**person.body, "status_if_new": UNSEEN}
    try:
        row = person.call("PUT", person.old_address, body)
    except CallFailed as failure:
        if code_of(failure) == "address_taken":
            return take_over(person)
        if code_of(failure) == "cannot_change_address":
            return move_of_archived(person, failure)
        if isinstance(failure.outcome, Refused):
            return give_up_old(person, failure.outcome)
        raise
    if row.get("status") == UNSEEN:
        return find_again(person)
    person.tag(row)
    return person.done(row)


def find_again(person: Person) -> Outcome:
    """An update met nobody, and only made an entry that gets no mail: give that up, and look where the person is now.

    Whoever unsubscribed under an address changed there has opted out; whoever is nowhere was removed there (L24a, L35).
    """
    with suppress(CallFailed):  # it gets no mail in either case
        person.call("DELETE", person.after.address)
    removed = Done(now=person.after.but(standing=Standing.REMOVED, lists=frozenset()))
    if person.before is None or not person.before.remote_id:
        return removed
    try:
        row = person.api.call("GET", "lists", person.where.audience, "members", person.before.remote_id)
    except CallFailed as failure:
        return removed if code_of(failure) == "not_found" else failure.outcome
    there = members.seen(row, person.where)
    if there.standing in (Standing.UNSUBSCRIBED, Standing.CLEANED):
        return Done(now=there.but(address=person.after.address))
    return person.met(row)


def give_up_old(person: Person, refused: Refused) -> Outcome:
    """The new address is refused, and the old one is not theirs any more: off the lists and archived (L16)."""
    if person.before is None:
        return refused
    trouble = tags.take_off(person.api, person.where, [(person.operation, person.old_address, person.before.lists)])
    for outcome in trouble.values():
        return outcome
    retire(person)
    return replace(refused, now=person.before.but(standing=Standing.ARCHIVED, lists=frozenset()))


def take_over(person: Person) -> Done:
    """Somebody is there under the new address: theirs is used from now on, as it stands, and the old one given up.

    An archived entry is no withdrawal of consent: the subscription of the old address goes over to it.
    """
    there = person.look()
    retire(person)
    left = person.before and person.before.but(standing=Standing.ARCHIVED, lists=frozenset())
    if there is not None and there.get("status") == "archived" and revive(person):
        return replace(person.done({**there, "status": "subscribed"}, TOOK_OVER), left=left)
    fields = person.operation.fields_for(members.fields_of(there or {}))
    row = person.call("PATCH", person.after.address, {"merge_fields": members.merge_fields(fields)})
    person.tag(row)
    return replace(person.done(row, TOOK_OVER, ours=False), left=left)


def fill(person: Person, row: Mapping[str, Any]) -> Outcome:
    """Somebody who was there before us, and whose name is empty there: ours is filled in (L22)."""
    fields = members.merge_fields(person.operation.fields_for(members.fields_of(row)))
    try:
        return person.done(person.call("PATCH", person.after.address, {"merge_fields": fields}), ours=False)
    except CallFailed as failure:
        return failure.outcome


def revive(person: Person) -> bool:
    """Bring an archived entry back, with its lists; False if only the person may (they had unsubscribed before)."""
    body = {**person.body, "status": "subscribed"}
    try:
        person.tag(person.api.call("POST", "lists", person.where.audience, "members", query=QUERY, json=body))
    except CallFailed as failure:
        if code_of(failure) != "compliance":
            raise
        return False
    return True


def move_of_archived(person: Person, failure: CallFailed) -> Outcome:
    """The old entry is not subscribed any more. If it is archived, a take-over may have been cut off half-way."""
    old = person.call("GET", person.old_address)
    if old.get("status") != "archived":
        return failure.outcome
    try:
        # Who archived it is not known for certain, so that it would not be brought back by itself.
        return replace(take_over(person), left=None)
    except CallFailed as nobody:
        if code_of(nobody) == "not_found":
            return person.done(old)
        raise


def opt_out(person: Person) -> Outcome:
    """Unsubscribed. Their tags were taken off before, many people at a time."""
    try:
        # Not PUT: it would make somebody out of nobody.
        _, row = person.reach("PATCH", {"status": "unsubscribed"})
    except CallFailed as failure:
        if code_of(failure) == "not_found":
            return GONE
        raise
    return person.done(row)


def disable(person: Person) -> Outcome:
    """Archived: no mail, no bill, no withdrawal of consent. Their tags were taken off before."""
    try:
        address, _ = person.reach("DELETE")
    except CallFailed as failure:
        if code_of(failure) == "not_found":
            return GONE
        if code_of(failure) != "not_possible":
            raise
        # Pending, bounced or archived there: nothing more is sent to them, and the record says what they are.
        return person.done(person.reach("GET")[1])
    return Done(now=person.after.but(address=address, standing=Standing.ARCHIVED, lists=frozenset()))


WORK = {
    Verb.ENABLE: enable,
    Verb.ASK: ask,
    Verb.UPDATE: change,
    Verb.OPT_OUT: opt_out,
    Verb.DISABLE: disable,
}
