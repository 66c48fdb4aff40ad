"""What the page of an import says: figures as sentences, rows with before and after, and what it means for consent."""

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from contacts.importing import columns, keeping, sorts
from contacts.importing.repeats import only_repeats, repeated_by
from contacts.importing.words import APPLIED, UNDO_WORDS, outcome, repeats, tone
from contacts.models import Contact, ContactList, Import, ImportRow
from contacts.tenancy.roles import CHANGE, is_allowed

PER_PAGE = 25
State, Outcome, Undo = Import.State, ImportRow.Outcome, ImportRow.Undo
NOTED, REPEATED = "noted", "repeated"
# What the rows can be filtered by: (in the address, before, after it was imported).
CHIPS = [
    (Outcome.CREATE, "New contacts", "Added"),
    (Outcome.UPDATE, "Changes", "Changed"),
    (Outcome.UNCHANGED, "Nothing to change", "Nothing to change"),
    (Outcome.REFUSED, "Refused", "Refused"),
    (REPEATED, "Repeat another row", "Repeat another row"),
    (NOTED, "With a note", "With a note"),
]
WRITING = (Outcome.CREATE, Outcome.UPDATE)
UNDOABLE = (Undo.DELETE, Undo.RESTORE, Undo.PART, Undo.KEEP)
LABELS: dict[str, str] = {key: after for key, _, after in CHIPS} | {key: UNDO_WORDS[key][1] for key in UNDOABLE}
DOING = {
    State.CHECKING: "Looking at every row …",
    State.APPLYING: "Importing …",
    State.WEIGHING: "Looking at what can be taken back …",
    State.UNDOING: "Taking the import back …",
}


def people(count: int, one: str = "contact", many: str = "contacts") -> str:
    """“1 contact”, “2,500 contacts”."""
    return f"{count:,} {one if count == 1 else many}"


def in_short(data_import: Import) -> str:
    """The figures in the list of imports."""
    counts = data_import.counts
    if data_import.state not in (State.READY, *APPLIED):
        return ""
    if data_import.state == State.UNDONE:
        fates = people_undone(counts)
        return ", ".join(f"{fates[key]:,} {LABELS[key].lower()}" for key in UNDOABLE if fates.get(key)) or "Nothing"
    new = f"{sorts.of(data_import).new_label}s"
    named = [(key, new if key == Outcome.CREATE else before, after) for key, before, after in CHIPS]
    parts = [
        f"{counts[key]:,} {(after if data_import.state in APPLIED else before).lower()}"
        for key, before, after in named
        if key in Outcome.values and counts.get(key)
    ]
    return ", ".join(parts) or "No rows"


def moving(data_import: Import) -> dict[str, Any]:
    """How far it is."""
    total = data_import.rows_total
    if data_import.state in (State.WEIGHING, State.UNDOING):
        total = data_import.counts.get(Outcome.CREATE, 0) + data_import.counts.get(Outcome.UPDATE, 0)
    done = min(data_import.rows_done, total) if total else 0
    return {
        "import": data_import, "doing": DOING.get(State(data_import.state), ""), "done": done, "total": total,
        "percent": round(100 * done / total) if total else 0,
    }  # fmt: skip


def context(request: HttpRequest, data_import: Import) -> dict[str, Any]:
    """Everything for the page."""
    counts, state = data_import.counts, State(data_import.state)
    sort = sorts.of(data_import)
    found: dict[str, Any] = moving(data_import) | {"counts": counts, "is_applied": state in APPLIED, "sort": sort}
    if state == State.READY:
        found |= {"sentences": sort.sum_up(counts), "meaning": sort.meaning(counts)}
        found["button"] = sort.confirm_words(counts)
        chosen = [one.get("field", "") for one in data_import.columns]
        found["left_out"] = columns.left_out(data_import.columns, chosen)
    elif state in APPLIED:
        found |= {"sentences": sort.sum_up(counts, done=True), "differs": differs(counts)}
        found["results"] = sort.results(data_import)
        found["may_take_back"] = state == State.DONE and keeping.may_be_taken_back(data_import) and any(
            counts.get(key) for key in WRITING
        )  # fmt: skip
        found["until"] = data_import.finished_at and data_import.finished_at + keeping.KEEP
    if state in (State.ASKING, State.UNDONE):
        rows = counts.get("undo", {})
        found["undo_sentences"] = sort.sum_up_undo(people_undone(counts), rows, done=state == State.UNDONE)
    if state in (State.READY, *APPLIED) or (state == State.FAILED and data_import.confirmed_at):
        found |= rows_of(request, data_import)
        found["may_export"] = is_allowed(request, CHANGE, "exports")
    return found


def sum_up(counts: dict[str, Any], done: bool = False) -> list[str]:
    """What the import does, in sentences: contacts that are added and changed, and the rows that do neither."""
    repeated = counts.get("repeats", {})
    figures = counts | {Outcome.UPDATE: changed_people(counts)}
    told = [
        (Outcome.CREATE, "was added", "were added", "will be added", "will be added"),
        (Outcome.UPDATE, "was changed", "were changed", "will be changed", "will be changed"),
    ]
    sentences = []
    for key, one_done, many_done, one, many in told:
        if count := figures.get(key, 0):
            sentences.append(
                f"{people(count)} {(one_done if done else one) if count == 1 else many_done if done else many}."
            )
    if count := counts.get(Outcome.UNCHANGED, 0) - repeated.get(Outcome.UNCHANGED, 0):
        sentences.append(f"{people(count, 'row', 'rows')} {'says' if count == 1 else 'say'} what is here already.")
    if count := sum(repeated.values()):
        more, same = repeated.get(Outcome.UPDATE, 0), repeated.get(Outcome.UNCHANGED, 0)
        rest = [f"{more:,} {'adds' if more == 1 else 'add'} something to it"] if more else []
        rest += [f"{same:,} {'says' if same == 1 else 'say'} nothing new"] if same else []
        verb = "repeats" if count == 1 else "repeat"
        sentences.append(f"{people(count, 'row', 'rows')} {verb} an earlier row of the file: {', '.join(rest)}.")
    if count := counts.get(Outcome.REFUSED, 0):
        verb = ("was" if count == 1 else "were") if done else "cannot be"
        sentences.append(f"{people(count, 'row', 'rows')} {verb} {'refused' if done else 'used'}; below is why.")
    return sentences or ["There was nothing to import." if done else "There is nothing to import."]


def changed_people(counts: dict[str, Any]) -> int:
    """How many contacts are changed, by however many rows each; of those that the import adds, none."""
    return int(counts.get("changed", 0))


def people_undone(counts: dict[str, Any]) -> dict[str, int]:
    """How many contacts are deleted, put back or left when the import is taken back."""
    return dict(counts.get("undo_people", {}))


def meaning(counts: dict[str, Any]) -> list[str]:
    """What it will mean for consent, and for the newsletters that are kept in step."""
    sentences = []
    joined = counts.get("lists", {})
    rows = list(ContactList.objects.filter(uid__in=list(joined)))
    for is_synchronized, rest in (
        (True, "{} synchronized: connected newsletter services learn of them within minutes, and may welcome them as "
               "new subscribers. Go on only if these people have agreed to that."),
        (False, "{} not synchronized, so no newsletter service hears of it."),
    ):  # fmt: skip
        there = [(joined[str(row.uid)], row.name) for row in rows if row.synchronize == is_synchronized]
        if there:
            first, *others = there
            more = "".join(f", {count:,} on “{name}”" for count, name in others)
            subject = "These lists are" if others else "That list is"
            sentences.append(f"{people(first[0])} will be put on “{first[1]}”{more}. {rest.format(subject)}")
    if count := counts.get("marked"):
        sentences.append(
            f"{people(count)} will be marked Do Not Contact, and get nothing from any list from then on. Taking the "
            "import back takes the marks away again, except where people have opted out themselves."
        )
    if count := counts.get("kept_marks"):
        sentences.append(
            f"{people(count)} will be marked Do Not Contact, everywhere or on a list, because staff had marked them "
            "before. The notes of the rows say why. The marks can be cleared afterwards."
        )
    if count := counts.get("opted_out"):
        sentences.append(
            f"{people(count, 'row is', 'rows are')} about people who have opted out themselves. No import changes "
            "that: newsletters do not go to them, whatever lists they are put on."
        )
    if count := counts.get("no_email"):
        sentences.append(f"{people(count, 'new contact has', 'new contacts have')} no email address.")
    sentences.append(
        "The import itself writes to nobody. Do Not Contact is only ever set by it, never taken away. Changed names "
        "and addresses of people on synchronized lists are sent on to the newsletter services."
    )
    return sentences


def confirm_words(counts: dict[str, Any]) -> str:
    """What the button does, or "" when there is nothing to do."""
    added, changed = counts.get(Outcome.CREATE, 0), changed_people(counts)
    parts = [f"add {people(added)}"] if added else []
    if changed:
        parts.append(f"change {changed:,}" if added else f"change {people(changed)}")
    return " and ".join(parts).capitalize()


def differs(counts: dict[str, Any]) -> str:
    """A sentence when less, more or something else was done than the preview said."""
    planned = counts.get("planned", {})
    if not planned or all(planned.get(key, 0) == counts.get(key, 0) for key in Outcome.values):
        return ""
    return (
        "Something was changed here after the preview was made, so some rows came out otherwise; their notes say how."
    )


def sum_up_undo(counts: dict[str, int], rows: dict[str, int], done: bool) -> list[str]:
    """What taking it back does, in contacts; where more `rows` of the file are about them, it says so."""
    told = [
        (Undo.DELETE, "{} that the import added will be deleted.", "{} that the import had added {} deleted."),
        (Undo.RESTORE, "{} that it changed will be put back as before.",
         "{} that it had changed {} put back as before."),
        (Undo.PART, "{} will be put back in part; what somebody changed since stays.",
         "{} {} put back in part; what somebody had changed since stayed."),
        (Undo.KEEP, "{} will be left alone, because of what came since; the rows below say why.",
         "{} {} left alone, because of what had come since; the rows below say why."),
    ]  # fmt: skip
    sentences = [
        (after if done else before).format(people(counts[key]), "was" if counts[key] == 1 else "were")
        + about_rows(counts[key], rows.get(key, 0))
        for key, before, after in told
        if counts.get(key)
    ]
    return sentences or ["There is nothing to take back."]


def about_rows(contacts: int, rows: int) -> str:
    """Why the figure of the filter below, which counts rows, is a larger one."""
    return (
        f" {people(rows, 'row', 'rows')} of the file {'is' if rows == 1 else 'are'} about them."
        if rows > contacts
        else ""
    )


def chosen(request: HttpRequest) -> str:
    """The filter in the address, if it is one."""
    shown = request.GET.get("show", "")
    return shown if shown in LABELS else ""


def filtered(data_import: Import, shown: str) -> QuerySet[Any]:
    """The rows that a filter leaves."""
    rows = ImportRow.objects.filter(data_import=data_import)
    if shown == NOTED:
        return rows.filter(has_warnings=True)
    if shown == REPEATED:
        return only_repeats(data_import)
    if shown in Undo.values:
        return rows.filter(undo=shown)
    return rows.filter(outcome=shown) if shown else rows


def rows_of(request: HttpRequest, data_import: Import) -> dict[str, Any]:
    """One page of rows with before and after; a fixed number of queries."""
    shown, word = chosen(request), request.GET.get("q", "").strip().replace("\0", "")
    rows = filtered(data_import, shown)
    if word.isdecimal():
        rows = rows.filter(number=min(int(word), 2**31 - 1)) if len(word) < 12 else rows.none()
    elif word:
        rows = rows.filter(label__icontains=word)
    page = Paginator(rows.order_by("number"), PER_PAGE).get_page(request.GET.get("p"))
    listed: list[ImportRow] = list(page.object_list)
    sort = sorts.of(data_import)
    names = sort.names({key for row in listed for key in row.changes})
    uids = [row.contact_uid for row in listed if row.contact_uid]
    firsts = repeated_by(data_import, listed) if sort.tells_repeats else {}
    pks = dict(Contact.objects.filter(uid__in=uids).order_by().values_list("uid", "pk"))
    is_asking = data_import.state == State.ASKING
    return {
        "page": page, "shown": shown, "word": word, "chips": chips(data_import, shown, word),
        "rows": [
            {
                "row": row, "outcome": outcome(data_import, row), "tone": tone(row),
                "changes": names.changes(row), "pk": pks.get(row.contact_uid),
                "undo": UNDO_WORDS[Undo(row.undo)][0] if is_asking and row.undo else "",
                "first": firsts.get(row.number), "repeats": repeats(firsts[row.number]) if row.number in firsts else "",
            }
            for row in listed
        ],
    }  # fmt: skip


def chips(data_import: Import, shown: str, word: str) -> list[dict[str, Any]]:
    """The filters with their figures, which are kept with the import: nothing is counted anew."""
    counts, state = data_import.counts, State(data_import.state)
    is_undo = state in (State.ASKING, State.UNDONE)
    kinds: list[tuple[str, str, int]] = [("", "All rows", data_import.rows_total)]
    if is_undo:
        fates = counts.get("undo", {})
        kinds += [(key, UNDO_WORDS[key][state == State.UNDONE], fates.get(key, 0)) for key in UNDOABLE]
    others = {NOTED: counts.get("warnings", 0), REPEATED: sum(counts.get("repeats", {}).values())}
    for key, before, after in CHIPS:
        if not is_undo or key not in WRITING or key == shown:
            before = f"{sorts.of(data_import).new_label}s" if key == Outcome.CREATE else before
            kinds.append((key, after if state in APPLIED else before, others.get(key, counts.get(key, 0))))
    return [
        {"query": urlencode({k: v for k, v in (("show", key), ("q", word)) if v}), "label": label, "count": count,
         "on": key == shown}
        for key, label, count in kinds if count or key == shown or not key
    ]  # fmt: skip
