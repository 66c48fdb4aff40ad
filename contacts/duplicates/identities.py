"""Who a contact has been before merges: their words in the consent ledger and their history go on counting."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from contacts.models import Contact, Merge, MergedIdentity

# Where a change comes from, as ledger and history name it. Clearing Do Not Contact by undoing a merge takes back what
# the merge had set, and is no decision about what the person said.
MERGING, UNDOING = "Merge of two contacts", "Undo of a merge"

Joined = dict[uuid.UUID, dict[uuid.UUID, datetime]]


def uids_of(contact: Contact) -> list[uuid.UUID]:
    """The contact's uid and those of everybody who was merged into it, for timelines and ledgers. One query."""
    gone = MergedIdentity.objects.filter(kept_uid=contact.uid).order_by("at").values_list("gone_uid", flat=True)
    return [contact.uid, *gone]


def joined(uids: Iterable[uuid.UUID]) -> Joined:
    """{uid: {who was merged into it: when}}, for these and for everybody who is part of them. One query."""
    found: Joined = {}
    rows = MergedIdentity.objects.filter(kept_uid__in=list(uids)).order_by()
    for gone, via, at in rows.values_list("gone_uid", "via_uid", "at"):
        found.setdefault(via, {})[gone] = at
    return found


def now_of(uids: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """{uid of a contact that is gone: uid of the one that it is part of now}, for those that were merged."""
    rows = MergedIdentity.objects.filter(gone_uid__in=list(uids)).order_by("pk").values_list("gone_uid", "kept_uid")
    pairs = list(rows)
    here = set(Contact.objects.filter(uid__in={kept for _, kept in pairs}).values_list("uid", flat=True))
    return {gone: kept for gone, kept in pairs if kept in here}


def merged_away(pk: object) -> tuple[Merge, Contact | None] | None:
    """The merge in which the contact of this number went, and the contact that it is part of now, if that is here."""
    if not str(pk).isdecimal() or int(str(pk)) > 2**62:
        return None
    merge = Merge.objects.filter(gone_pk=int(str(pk)), undone_at=None).first()
    if merge is None:
        return None
    kept = now_of([merge.gone_uid]).get(merge.gone_uid)
    return merge, Contact.objects.filter(uid=kept).first() if kept else None
