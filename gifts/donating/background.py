"""Calls that are answered at once and worked on afterwards (O9), in the order in which they came."""

import logging
import uuid
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from contacts import services
from contacts.duplicates.identities import now_of
from contacts.models import Contact, HistoryEntry, Tag, Tenant
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import current_tenant, in_tenant
from gifts.donating.caller import KEYED, Caller
from gifts.donating.donations import NO_PERSON, read, record_donation, update_donation
from gifts.donating.people import sign_up, update_person
from gifts.donating.refused import DonatingRefused
from gifts.models import BackgroundCall, FundraisingPage

log = logging.getLogger(__name__)
TURN_SECONDS = 15.0
TRIES = 3
Verb, State = BackgroundCall.Verb, BackgroundCall.State
GONE = "{} is not here any more."
# What a program is told in the words of its protocol, staff read in theirs.
FOR_STAFF = {
    NO_PERSON: "The person whom the program meant is not among your contacts any more. Note the donation by hand for "
               "whoever gave it, and put this report aside.",
}  # fmt: skip
OURS = "Something went wrong on our side. Trying again may help; if it does not, tell whoever runs this installation."


def later(
    verb: str, given: Mapping[str, Any], words: str, caller: Caller = KEYED,
    page: FundraisingPage | None = None, target: uuid.UUID | None = None,
) -> BackgroundCall:  # fmt: skip
    """Note a call for afterwards, in the transaction at hand; a job is rung for once that is committed.

    `verb` is one of `BackgroundCall.Verb`; `words` name the key; `target` is the uid of the donation or person. For
    the tags, `given` is made by `tagging_of`. A donation without a date keeps the one
    of now.
    """
    given = dict(given)
    if verb == Verb.RECORD_DONATION and not given.get("created_date"):
        given["created_date"] = timezone.now().replace(microsecond=0)
    call: BackgroundCall = BackgroundCall.objects.create(
        verb=verb, given=given, words=words[:100], is_blind=caller.is_blind, joins=caller.joins, page=page,
        target=target,
    )  # fmt: skip
    ring(call.tenant_id)
    return call


def ring(tenant_id: int) -> None:
    """Have somebody work on it, once this transaction is committed."""
    from gifts import jobs

    jobs.soon("work_on_calls", tenant_id)


def tenants() -> list[int]:
    """The organizations of which calls wait, asked across all of them by the sweep."""
    rows = BackgroundCall.objects.with_scopes_disabled().filter(state=State.WAITING).order_by()
    return sorted(rows.values_list("tenant_id", flat=True).distinct())


def turn(tenant_pk: int, seconds: float = TURN_SECONDS) -> bool:
    """Work for some seconds. Returns whether there is more to do."""
    tenant = Tenant.objects.filter(pk=tenant_pk).first()
    if tenant is None:
        return False
    with in_tenant(tenant), timezone.override(tenant.tz):
        until = monotonic() + seconds
        while work_on_next():
            if monotonic() >= until:
                return True
    return False


def work_on_next() -> bool:
    """The oldest one. Whoever else works for this organization waits here, so that their order holds. Returns whether
    there was one."""
    with transaction.atomic():
        waiting = BackgroundCall.objects.filter(state=State.WAITING).order_by("pk")
        call = waiting.select_for_update(no_key=True, of=("self",)).first()
        if call is None:
            return waiting.exists()
        attempt(call)
    return True


def attempt(call: BackgroundCall) -> None:
    """Do it; what fails is kept with the reason, and holds up nobody."""
    call.attempts, call.tried_at = call.attempts + 1, timezone.now()
    try:
        with transaction.atomic(), acting(By.SYSTEM, call.words or "API"):
            DOING[call.verb](call, Caller(call.joins, call.is_blind))
    except DonatingRefused as reason:
        fail(call, FOR_STAFF.get(str(reason), str(reason)))
    except DatabaseError:
        log.exception("call %s of organization %s was not carried out", call.uid, call.tenant_id)
        fail(call, OURS) if call.attempts % TRIES == 0 else call.save(update_fields=["attempts", "tried_at"])
    except Exception:  # noqa: BLE001  a bug of ours about one call must not stop the others
        log.exception("call %s of organization %s was not carried out", call.uid, call.tenant_id)
        fail(call, OURS)
    else:
        call.delete()


def fail(call: BackgroundCall, reason: str) -> None:
    """For staff to see."""
    call.state, call.reason = State.FAILED, reason[:300]
    call.save(update_fields=["state", "reason", "attempts", "tried_at"])


@transaction.atomic
def try_again(call: BackgroundCall, user: Any) -> bool:
    """Staff ask for it. Returns whether it had failed until now."""
    rows = BackgroundCall.objects.filter(pk=call.pk, state=State.FAILED)
    if not rows.update(state=State.WAITING, reason="", retried_by=user):
        return False
    ring(call.tenant_id)
    return True


@transaction.atomic
def try_all_again(user: Any) -> int:
    """The same for every one that failed. Returns how many."""
    number: int = BackgroundCall.objects.filter(state=State.FAILED).update(
        state=State.WAITING, reason="", retried_by=user
    )
    tenant = current_tenant()
    if number and tenant is not None:
        ring(tenant.pk)
    return number


@transaction.atomic
def put_aside(call: BackgroundCall) -> bool:
    """Nobody wants it any more; that somebody did so stands in the history. Returns whether it had failed until now."""
    gone, _ = BackgroundCall.objects.filter(pk=call.pk, state=State.FAILED).delete()
    if gone:
        HistoryEntry.by_actor(
            verb=HistoryEntry.Verb.DELETED, what=str(BackgroundCall._meta.verbose_name), label=str(call)[:250],
            changes={"reason": [call.reason, None]},
        ).save()  # fmt: skip
    return bool(gone)


# --- what they ask for ---


def record(call: BackgroundCall, caller: Caller) -> None:
    """A donation."""
    if call.page is None:
        raise DonatingRefused(GONE.format("The fundraising page"))
    record_donation(call.page, call.given, caller=caller)


def change_donation(call: BackgroundCall, caller: Caller) -> None:
    """Another word on a donation."""
    donation = read(call.target) if call.target else None
    if donation is None:
        raise DonatingRefused(GONE.format("The donation"))
    update_donation(donation, call.given)


def sign(call: BackgroundCall, caller: Caller) -> None:
    """A person."""
    sign_up(call.given, caller)


def change_person(call: BackgroundCall, caller: Caller) -> None:
    """Another word on a person."""
    update_person(person(call.target), call.given, caller)


def person(uid: Any) -> Contact:
    """Whoever has this id, or had it before a merge."""
    wanted = uuid.UUID(str(uid))
    found: Contact | None = Contact.objects.filter(uid__in=[wanted, now_of([wanted]).get(wanted, wanted)]).first()
    if found is None:
        raise DonatingRefused(GONE.format("The person"))
    return found


def tagging_of(tag: Tag, contact: Contact) -> dict[str, str]:
    """What a call about a tag of a person keeps: which, and what staff call them, who may be gone by then."""
    return {"tag": str(tag.uid), "person": str(contact.uid), "about": f"{tag.name}: {contact}"[:300]}


def tagging(call: BackgroundCall, caller: Caller) -> None:
    """A tag on a person, or off."""
    tag = Tag.objects.filter(uid=call.given["tag"]).first()
    if tag is None:
        raise DonatingRefused(GONE.format("The tag"))
    contacts = Contact.objects.filter(pk=person(call.given["person"]).pk)
    (services.add_tag if call.verb == Verb.ADD_TAG else services.take_off_tag)(tag, contacts)


DOING: dict[str, Callable[[BackgroundCall, Caller], None]] = {
    Verb.RECORD_DONATION: record, Verb.UPDATE_DONATION: change_donation, Verb.SIGN_UP: sign,
    Verb.UPDATE_PERSON: change_person, Verb.ADD_TAG: tagging, Verb.REMOVE_TAG: tagging,
}  # fmt: skip
