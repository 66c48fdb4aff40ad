"""Decide what a row does: whom it is about, what changes, and why it is refused. Plain values in, plain values out; the
check and the import itself both come here, so that what was shown is what is done."""

import re
import unicodedata
import uuid
from dataclasses import dataclass, field
from typing import Any

from contacts.importing.columns import CUSTOM
from contacts.importing.crowd import OF_ADDRESS, THERE, Crowd, Known, State, wanted_id_keys
from contacts.importing.reading import BY_EMAIL, BY_ID, Reader, Wanted
from contacts.models import ImportRow
from contacts.models.contact import address_key

Outcome = ImportRow.Outcome
NEVER_CLEARED = "They are marked Do Not Contact here, and stay so: an import never takes that mark away."
OPTED_OUT = (
    "They have opted out themselves. They may stand on lists here, but newsletters will not go to them until they opt "
    "in again themselves."
)
GONE = (
    "The contact whom the preview showed was deleted or changed since, so nothing was done. To add them as a new "
    "contact, upload the row again."
)
ADDRESS_OPTED_OUT = "Somebody with this email address has opted out. Newsletters will not go to it."
MARK_IS_KEPT = (
    "Somebody with this email address was marked Do Not Contact here{} before they were deleted. The mark is kept: the "
    "contact gets it as well. It can be cleared on their page."
)
ON_AGAIN = (
    "They were marked Do Not Contact on “{}” when they were on it before. The mark is kept. It can be cleared on their "
    "page."
)


class Refused(Exception):
    """The row cannot be used; the message says why and what to do."""


@dataclass(slots=True)
class Plan:
    """What one row does."""

    want: Wanted
    outcome: str
    known: Known | None = None
    changes: dict[str, list[Any]] = field(default_factory=dict)
    reason: str = ""
    warnings: list[str] = field(default_factory=list)
    label: str = ""
    keeps_mark: bool = False  # Do Not Contact that staff had set before will hold for them

    @property
    def uid(self) -> uuid.UUID | None:
        return self.known.uid if self.known else None


def decide(want: Wanted, crowd: Crowd, reader: Reader, new_uid: uuid.UUID, may_create: bool = True) -> Plan:
    """What the row does; afterwards the crowd is as if it had been done, for the rows that follow. Somebody who was
    here when the preview was made, and is not any more, is not created again: `may_create` is False then."""
    if want.refusal:
        return Plan(want, Outcome.REFUSED, reason=want.refusal[:400], label=want.label)
    try:
        known = find(want, crowd, reader)
        is_new = known is None
        if known is None:
            if not may_create:
                raise Refused(GONE)
            if not want.label:
                raise Refused(
                    "Nobody here has this identifier, and the row has no name, email address or phone number to make a "
                    "new contact of. Add one, or correct the identifier."
                )
            known = Known(new_uid)
        changes = changes_of(want, known, crowd, reader)
    except Refused as why:
        return Plan(want, Outcome.REFUSED, reason=str(why)[:400], warnings=want.warnings, label=want.label)
    outcome = Outcome.CREATE if is_new else Outcome.UPDATE if changes else Outcome.UNCHANGED
    known.become(changes)
    crowd.learn(known)
    consent_warnings(want, known, crowd, reader, changes)
    keeps_mark = kept_marks(want, known, crowd, changes)
    label = (want.label or known.name)[:200]
    return Plan(want, outcome, known, changes, warnings=want.warnings, label=label, keeps_mark=keeps_mark)


# --- whom the row is about ---


def find(want: Wanted, crowd: Crowd, reader: Reader) -> Known | None:
    """Our id; then identifiers; then the email address, with the name where it is shared; then name and phone."""
    if want.uid:
        if known := crowd.with_uid(want.uid):
            return known
        want.warn("Nobody here has the Almoner id of this row any more, so it was not used.")
    by_id = unique([known for key in wanted_id_keys(want) for known in crowd.with_id(key)])
    if len(by_id) > 1:
        raise Refused(f"The identifiers in this row belong to several contacts: {names_of(by_id)}. Merge them first.")
    if by_id:
        return by_id[0]
    if reader.match == BY_ID:
        return None
    for address in want.emails:
        if found := crowd.with_email(address):
            return by_name(want, found, address, reader)
    same = [known for number in want.phones for known in crowd.with_phone(number) if same_name(want, known)]
    return same[0] if len(unique(same)) == 1 else None


def by_name(want: Wanted, found: list[Known], address: str, reader: Reader) -> Known | None:
    """Which of those who have the address; None when the row is about somebody else who shares it."""
    if reader.match == BY_EMAIL and len(found) == 1:
        return found[0]
    if same := [known for known in found if same_name(want, known)]:
        if len(same) > 1:
            raise Refused(f"Several contacts are called so and have the address {address}. Merge them first.")
        return same[0]
    able = [known for known in found if may_be(want, known)]
    if len(able) == 1:
        return able[0]
    if able:
        raise Refused(
            f"{names_of(able)} share the address {address}, and the row does not say whom it means. Add the first and "
            "last name, or the Almoner id."
        )
    want.warn(f"Shares the address {address} with {names_of(found)}, whose name is another: taken to be somebody else.")
    return None


def same_name(want: Wanted, known: Known) -> bool:
    """The same first and last name, or the same organization for a row without a person's name."""
    theirs = (folded(known.state.get("first_name", "")), folded(known.state.get("last_name", "")))
    ours = (folded(want.values.get("first_name", "")), folded(want.values.get("last_name", "")))
    if any(ours):
        return ours == theirs
    organization = folded(want.values.get("organization_name", ""))
    return bool(organization) and not any(theirs) and organization == folded(known.state.get("organization_name", ""))


def may_be(want: Wanted, known: Known) -> bool:
    """Whether nothing speaks against it: no first name, the same one with or without a second, or an initial. A last
    name may change. “Paul” and “Paula” are two, and so are “Jon” and “John” until somebody says otherwise."""
    ours, theirs = words(want.values.get("first_name", "")), words(known.state.get("first_name", ""))
    if not ours or not theirs or ours[0] == theirs[0]:
        return True
    return ours[0][0] == theirs[0][0] and 1 in (len(ours[0]), len(theirs[0]))


def words(text: str) -> list[str]:
    """The words of a name, folded."""
    return [word for part in re.split(r"[\s.]+", text) if (word := folded(part))]


def folded(text: str) -> str:
    """Without case, accents and signs."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def unique(people: list[Known]) -> list[Known]:
    """Each once."""
    return list({known.uid: known for known in people}.values())


def names_of(people: list[Known]) -> str:
    """For a sentence."""
    names = list(dict.fromkeys(known.name for known in people))
    return " and ".join(filter(None, [", ".join(names[:-1][:4]), names[-1]]))


# --- what changes ---


def changes_of(want: Wanted, known: Known, crowd: Crowd, reader: Reader) -> dict[str, list[Any]]:
    """{what: [before, after]} of everything in which the row differs from what is there."""
    state, changes = known.state, {}
    is_new = not state
    for key, value in want.values.items():
        if key == "email":
            continue
        now = state.get(key, "")
        if not value and not (reader.clears and now and may_be_cleared(key)):
            continue
        if value != now and not (key.startswith("phone") and value in known.numbers):
            changes[key] = [now, value]
    if is_new and changes.get("kind", ["", ""])[1] == "person":
        del changes["kind"]  # what everybody is
    is_person = want.values.get("kind") == "person" or want.values.get("first_name") or want.values.get("last_name")
    if is_new and "organization_name" in changes and not is_person:
        changes["kind"] = ["", "organization"]
    change_emails(want, known, reader, changes)
    numbers = known.numbers | {after for key, (_, after) in changes.items() if key.startswith("phone")}
    for number in dict.fromkeys(want.more_phones):
        if number not in numbers:
            changes[f"phone+{number}"] = ["", number]
    change_ids(want, known, crowd, changes)
    if fresh := [note for note in want.notes if note not in state.get("notes", "")]:
        before = state.get("notes", "")
        changes["notes"] = [before, "\n".join([*([before] if before else []), *dict.fromkeys(fresh)])]
    for tag in want.tags:
        if f"tag+{tag.casefold()}" not in state:
            changes[f"tag+{tag.casefold()}"] = ["", tag]
    change_lists(want, state, changes)
    if want.do_not_contact and not state.get("do_not_contact"):
        changes["do_not_contact"] = [False, True]
    return changes


def may_be_cleared(key: str) -> bool:
    """What an empty cell may empty, if that was chosen."""
    return key in OF_ADDRESS or key.startswith(("phone", CUSTOM)) or key in (
        "first_name", "last_name", "organization_name", "job_title", "custom_user_id"
    )  # fmt: skip


def change_emails(want: Wanted, known: Known, reader: Reader, changes: dict[str, list[Any]]) -> None:
    """The first address is the primary one, unless it is among theirs already; the others are added."""
    now, theirs = known.state.get("email", ""), known.addresses
    emails = list(want.emails)
    if want.values.get("email") and address_key(emails[0]) not in theirs:
        changes["email"] = [now, emails[0]]
        theirs = (theirs - {address_key(now)}) | {address_key(emails[0])}
        if known.state.get("email_state"):
            changes["email_state"] = [known.state["email_state"], ""]
    elif want.values.get("email") == "" and not emails and reader.clears and now:
        changes["email"] = [now, ""]
        if known.state.get("email_state"):
            changes["email_state"] = [known.state["email_state"], ""]
    elif emails and not now and not theirs:
        changes["email"] = ["", emails[0]]
        theirs = {address_key(emails[0])}
    for address in emails:
        if (key := address_key(address)) not in theirs:
            theirs = theirs | {key}
            changes[f"email+{key}"] = ["", address]


def change_ids(want: Wanted, known: Known, crowd: Crowd, changes: dict[str, list[Any]]) -> None:
    """Identifiers are added; one that belongs to somebody else is left out."""
    for system, value in want.ids:
        key = f"id+{system.lower()}|{value}"
        others = [other for other in crowd.with_id(key) if other is not known]
        if others:
            want.warn(f"{system}: {value} belongs to {names_of(others)}, so it was left out.")
        elif key not in known.state:
            changes[key] = ["", system]


def change_lists(want: Wanted, state: State, changes: dict[str, list[Any]]) -> None:
    """Lists are joined; a list that may not be used is marked so where they are on it."""
    for row in want.lists:
        if f"list+{row.uid}" not in state:
            changes[f"list+{row.uid}"] = ["", THERE]
    for row in want.dnc_lists:
        if f"list_dnc+{row.uid}" in state:
            continue
        if f"list+{row.uid}" in state or f"list+{row.uid}" in changes:
            changes[f"list_dnc+{row.uid}"] = ["", THERE]
        else:
            want.warn(f"They are not on “{row.name}”, so nothing was marked there.")


def gained(changes: dict[str, list[Any]]) -> set[str]:
    """The email addresses that somebody gets by these changes."""
    emails = {after for key, (_, after) in changes.items() if after and (key == "email" or key.startswith("email+"))}
    return {address_key(email) for email in emails}


def consent_warnings(
    want: Wanted, known: Known, crowd: Crowd, reader: Reader, changes: dict[str, list[Any]]
) -> None:  # fmt: skip
    """What staff should know before they confirm: an import never undoes an opt-out."""
    if known.state.get("do_not_contact") and not want.do_not_contact and reader.has_dnc:
        want.warn(NEVER_CLEARED)
    if known.has_opted_out:
        want.warn(OPTED_OUT)
    elif known.addresses & crowd.out_addresses or gained(changes) & crowd.kept_addresses:
        want.warn(ADDRESS_OPTED_OUT)


def kept_marks(want: Wanted, known: Known, crowd: Crowd, changes: dict[str, list[Any]]) -> bool:
    """Whether they will be marked Do Not Contact, because of an address that they get or a list that they are put on;
    the row says so."""
    said = len(want.warnings)
    new = crowd.marks.for_contact(known.uid, gained(changes))
    theirs = crowd.marks.for_contact(known.uid, known.addresses)
    if None in new and not known.state.get("do_not_contact"):
        want.warn(MARK_IS_KEPT.format(""))
    names = {row.uid: row.name for row in want.lists}
    for place in known.parts.get("lists", {}).values():
        names[place.contact_list.uid] = place.contact_list.name
    for uid, name in names.items():
        is_new = f"list+{uid}" in changes
        if f"list_dnc+{uid}" in known.state or not (is_new or uid in new):
            continue
        if is_new and (known.uid, uid) in crowd.marked_before:
            want.warn(ON_AGAIN.format(name))
        elif uid in theirs:
            want.warn(MARK_IS_KEPT.format(f" on “{name}”"))
    return len(want.warnings) > said
