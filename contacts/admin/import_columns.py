"""The page on which the columns of a file are matched: headings, samples, and what each column is."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from contacts.importing import columns, intake, sorts, text, values
from contacts.importing.columns import Choices
from contacts.importing.crowd import as_uid
from contacts.importing.intake import Format
from contacts.importing.reading import BY_NAME_TOO, MATCHES
from contacts.models import ContactList, Import
from contacts.tenancy.roles import CHANGE, is_allowed
from contacts.tenancy.views import render_page


def show(
    request: HttpRequest,
    data_import: Import,
    chosen: list[str] | None = None,
    options: dict[str, Any] | None = None,
    problems: list[str] | None = None,
) -> HttpResponse:
    """The columns with their samples; after a mistake, as they were sent."""
    how, sort = Format.kept(data_import.format), sorts.of(data_import)
    choices = sort.choices()
    chosen = chosen or [one.get("field", "") for one in data_import.columns]
    known = sum(map(bool, chosen))
    context = {
        "import": data_import, "format": how, "problems": problems or [],
        "columns": described(data_import, chosen, choices),
        "known": known, "unknown": len(chosen) - known, "encodings": text.ENCODINGS.items(),
        "delimiter": text.DELIMITERS.get(how.delimiter, ""), "may_change": is_allowed(request, CHANGE, "contacts"),
        "may_make_fields": is_allowed(request, CHANGE, "fields"), "sort": sort,
        "left_out": columns.left_out(data_import.columns, chosen),
    } | sort.columns_context(request, data_import, options or {})  # fmt: skip
    title = f"Import of {data_import.file_name}"
    return render_page(
        request, "admin/contacts/imports/columns.html", title, context, status=400 if problems and options else 200
    )


def options_context(request: HttpRequest, options: dict[str, Any]) -> dict[str, Any]:
    """The questions about a file of contacts."""
    region = options.get("region") or request.tenant.phone_region  # type: ignore[attr-defined]
    return {
        "options": options or {"match": BY_NAME_TOO}, "matches": MATCHES.items(), "lists": ContactList.objects.all(),
        "region": region,
    }  # fmt: skip


def described(data_import: Import, chosen: list[str], choices: Any) -> list[dict[str, Any]]:
    """One column a line."""
    found = []
    for index, (one, key) in enumerate(zip(data_import.columns, chosen, strict=False)):
        heading = one.get("header", "")
        groups = choices.groups(heading)
        if key and all(key != value for _, options in groups for value, _ in options):
            groups.append(("Chosen", [(key, choices.label(key))]))
        found.append({
            "index": index, "letter": intake.letters(index + 1), "heading": heading, "key": key, "groups": groups,
            "samples": one.get("samples", []), "is_report": heading in columns.REPORT_COLUMNS,
        })  # fmt: skip
    return found


def sent(request: HttpRequest, data_import: Import) -> tuple[list[str], dict[str, Any], list[str]]:
    """(field of each column, options, what is wrong with them)."""
    sort = sorts.of(data_import)
    choices = sort.choices()
    chosen = [request.POST.get(f"column-{index}", "") for index in range(len(data_import.columns))]
    chosen = [key if choices.is_known(key) else "" for key in chosen]
    options, problems = sort.sent(request, data_import, chosen)
    return chosen, options, problems


def options_sent(request: HttpRequest, data_import: Import, chosen: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """(options of a file of contacts, what is wrong with them and the columns)."""
    choices = Choices.here()
    headings = [one.get("header", "") for one in data_import.columns]
    problems = columns.clashes(chosen, headings, choices)
    options: dict[str, Any] = {
        "match": request.POST.get("match", ""), "empty": request.POST.get("empty", ""),
        "list": request.POST.get("list", ""), "tag": " ".join(request.POST.get("tag", "").split()),
        "region": request.POST.get("region", "").strip().upper(),
    }  # fmt: skip
    if options["match"] not in MATCHES:
        options["match"] = BY_NAME_TOO
    if options["list"] and not ContactList.objects.filter(uid__in=filter(None, [as_uid(options["list"])])).exists():
        problems.append("Choose a list that is here.")
    if any(len(word) > 80 for word in values.words_of(options["tag"])):
        problems.append("A tag has at most 80 letters.")
    if options["region"] not in values.countries().values():
        problems.append("Give the country of phone numbers as two letters, such as US.")
    return options, problems
