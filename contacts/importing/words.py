"""What happens in a row, in words: the names of fields, values as people read them, and outcomes for each stage."""

from collections.abc import Iterable
from typing import Any

from contacts import custom
from contacts.importing.columns import CUSTOM, FIELDS
from contacts.models import Contact, ContactList, EmailAddress, Import, ImportRow

NAMES = {
    "kind": "Kind", "do_not_contact": "Do Not Contact", "custom_user_id": "Id in another system",
    "email_state": "State of the email",
}  # fmt: skip
PLANNED_WORDS = {
    ImportRow.Outcome.UPDATE: "Change",
    ImportRow.Outcome.UNCHANGED: "Nothing to change",
    ImportRow.Outcome.REFUSED: "Refused",
}
DONE_WORDS = {
    ImportRow.Outcome.CREATE: "Added",
    ImportRow.Outcome.UPDATE: "Changed",
    ImportRow.Outcome.UNCHANGED: "Nothing to change",
    ImportRow.Outcome.REFUSED: "Refused",
}
# What becomes of a row when its import is taken back: (as it is asked, afterwards).
UNDO_WORDS = {
    ImportRow.Undo.DELETE: ("To be deleted", "Deleted"),
    ImportRow.Undo.RESTORE: ("To be put back", "Put back"),
    ImportRow.Undo.PART: ("To be put back in part", "Put back in part"),
    ImportRow.Undo.KEEP: ("To be left alone", "Left alone"),
    ImportRow.Undo.NOTHING: ("Nothing to take back", "Nothing to take back"),
}
TONES = {"create": "al-good", "update": "al-warn", "unchanged": "", "refused": "al-bad"}
APPLIED = (Import.State.DONE, Import.State.WEIGHING, Import.State.ASKING, Import.State.UNDOING, Import.State.UNDONE)


class Names:
    """The names of this organization's lists and fields, read once for a page."""

    def __init__(self, keys: Iterable[str]) -> None:
        keys = set(keys)
        uids = {key.partition("+")[2] for key in keys if key.startswith(("list+", "list_dnc+"))}
        self.lists = {str(row.uid): row.name for row in ContactList.objects.filter(uid__in=uids)} if uids else {}
        self.customs: dict[str, str] = {}
        if any(key.startswith(CUSTOM) for key in keys):
            self.customs = {str(row.uid): row.name for row in custom.fields()}

    def label(self, key: str) -> str:
        """What changes, for a person."""
        kind, plus, rest = key.partition("+")
        if plus:
            named = {"list": "On list", "list_dnc": "Do Not Contact", "tag": "Tag", "email": "Another email",
                     "phone": "Another phone", "id": "Identifier"}  # fmt: skip
            return named.get(kind, kind)
        if key.startswith(CUSTOM):
            return self.customs.get(key.removeprefix(CUSTOM), "A field that was deleted")
        if key.startswith("phone:"):
            return f"{key.partition(':')[2].capitalize()} phone"
        return NAMES.get(key) or (FIELDS[key][0] if key in FIELDS else key.replace("_", " ").capitalize())

    def value(self, key: str, value: Any) -> str:
        """A value, for a person."""
        kind, plus, rest = key.partition("+")
        if value in ("", None):
            return "OK" if key == "email_state" else ""
        if kind in ("list", "list_dnc"):
            return self.lists.get(rest, "a list that was deleted")
        if kind == "id":
            return f"{value}: {rest.partition('|')[2]}"
        if key == "email_state":
            return str(dict(EmailAddress.State.choices).get(value, value))
        if key == "kind":
            return str(dict(Contact.Kind.choices).get(value, value))
        return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)

    def changes(self, row: ImportRow) -> list[dict[str, str]]:
        """The changes of a row, ready for the page."""
        return [
            {
                "label": self.label(key),
                "before": "" if key == "do_not_contact" and not before else self.value(key, before),
                "after": self.value(key, after),
            }
            for key, (before, after) in sorted(row.changes.items(), key=lambda change: place(change[0]))
        ]


def place(key: str) -> tuple[int, str]:
    """Where a field stands among the others: in the order of the choice of columns, what is added last."""
    order = list(FIELDS)
    return (order.index(key) if key in FIELDS else len(order) + ("+" in key), key)


def field_names(keys: Iterable[str]) -> list[str]:
    """What these are, for a sentence; lists and own fields without their names."""
    plain = Names(())
    named = {"list": "a list", "list_dnc": "Do Not Contact on a list", "tag": "a tag"}
    found = []
    for key in keys:
        kind, plus, _ = key.partition("+")
        text = named.get(kind) if plus else "a field of your own" if key.startswith(CUSTOM) else None
        found.append((text or plain.label(key)).lower())
    return list(dict.fromkeys(found))


def outcome(data_import: Import, row: ImportRow) -> str:
    """What a row does, did, or what became of it when it was taken back."""
    if row.state in (ImportRow.State.UNDONE, ImportRow.State.KEPT) and row.undo:
        return UNDO_WORDS[ImportRow.Undo(row.undo)][1]
    is_done = row.state == ImportRow.State.DONE or data_import.state in APPLIED
    if row.outcome == ImportRow.Outcome.CREATE and not is_done:
        from contacts.importing import sorts

        return sorts.of(data_import).new_label
    return (DONE_WORDS if is_done else PLANNED_WORDS)[ImportRow.Outcome(row.outcome)]


def tone(row: ImportRow) -> str:
    """The colour of the outcome; what was taken back is neither good nor bad any more."""
    if row.state == ImportRow.State.UNDONE:
        return ""
    return "al-warn" if row.state == ImportRow.State.KEPT else TONES.get(row.outcome, "")


def repeats(number: int) -> str:
    """That a row is about somebody of whom this one, further up in the file, spoke already."""
    return f"Repeats row {number:,}"
