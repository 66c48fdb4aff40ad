"""The form of a contact as parts that open in place: each shows what is in it now, and its fields when it is opened."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.helpers import AdminForm, Fieldset, InlineAdminFormSet
from django.utils.text import slugify

TITLES = {"": "Name", "May we write to them?": "Do Not Contact"}
FIRST = ["Name", "Email addresses", "Phone numbers", "Lists"]
SHORT = [*FIRST, "Tags"]  # what is asked of somebody new
NOT_SHOWN = {"new_tags"}  # says nothing about the contact


@dataclass(slots=True)
class Part:
    """One part: its fields (a set of them, or rows), what stands in it, and whether something is wrong there."""

    title: str
    fieldset: Fieldset | None = None
    formset: InlineAdminFormSet | None = None
    facts: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Its name in the page's address: #part-email-addresses."""
        return f"part-{slugify(self.title)}"


def parts_of(adminform: AdminForm, formsets: list[InlineAdminFormSet]) -> list[Part]:
    """The parts of the form in the order in which people want them."""
    parts = [of_fields(fieldset) for fieldset in adminform] + [of_rows(formset) for formset in formsets]
    order = {title: number for number, title in enumerate(FIRST)}
    return sorted(parts, key=lambda part: order.get(part.title, len(order)))


def of_fields(fieldset: Any) -> Part:
    """A set of fields with their present values."""
    title = str(fieldset.name or "")
    part = Part(TITLES.get(title, title), fieldset=fieldset)
    for one in (one for line in fieldset for one in line):
        if one.is_readonly:
            name, label, value = one.field["name"], str(one.field["label"]), one.contents()
        else:
            name, label, value = one.field.name, str(one.field.label), value_of(one.field)
            part.errors += [f"{label}: {error}" for error in one.field.errors]
        if value not in ("", "-") and name not in NOT_SHOWN:
            part.facts.append(("" if label == part.title else label[:1].upper() + label[1:], value))
    return part


def say_who_is_out(parts: list[Part]) -> None:
    """Do Not Contact is the staff's mark: “No” alone would read as if somebody who opted out might be written to."""
    for part in parts:
        if part.key == "part-do-not-contact":
            part.facts = [("", "Not set by you, but they opted out themselves")]


def of_rows(formset: InlineAdminFormSet) -> Part:
    """Rows, each as one line."""
    part = Part(str(formset.opts.verbose_name_plural).capitalize(), formset=formset)
    rows = [form.instance for form in formset.formset.initial_forms if not form.instance._state.adding]
    part.facts = [("", row_line(row)) for row in rows]
    part.errors = [str(error) for error in formset.formset.non_form_errors()]
    for number, form in enumerate(formset.formset.forms, 1):
        for name, errors in form.errors.items():
            label = form.fields[name].label if name in form.fields else ""
            part.errors += [f"Row {number}, {str(label).lower() or 'all of it'}: {error}" for error in errors]
    return part


def value_of(bound: Any) -> str:
    """What a field holds now, as a person reads it."""
    value = bound.value()
    if value in (None, "", []):
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    choices = getattr(bound.field, "choices", None)
    if choices is not None:
        chosen = {str(one) for one in (value if isinstance(value, list | tuple) else [value])}
        return ", ".join(labels_of(bound.field, choices, chosen))
    return str(value)


def labels_of(form_field: Any, choices: Any, chosen: set[str]) -> Iterator[str]:
    """The labels of chosen values; of rows, only those are read."""
    if (queryset := getattr(form_field, "queryset", None)) is not None:
        for row in queryset.filter(pk__in=[pk for pk in chosen if pk.isdecimal()]):
            yield str(row)
        return
    for value, label in choices:
        if str(value) in chosen:
            yield str(label)


def row_line(row: Any) -> str:
    """A row of a contact as one line: its text, and its marks in brackets."""
    marks = [str(getattr(row, name)) for name in ("label", "position") if getattr(row, name, "")]
    if getattr(row, "is_primary", False):
        marks.append("primary")
    if getattr(row, "state", "ok") != "ok" and hasattr(row, "get_state_display"):
        marks.append(row.get_state_display().lower())
    if getattr(row, "do_not_contact", False):
        marks.append("Do Not Contact")
    if getattr(row, "takes_texts", False):
        marks.append("text messages")
    text = row.contact_list.name if hasattr(row, "contact_list") else str(row)
    if hasattr(row, "number"):
        text = row.number.as_international if hasattr(row.number, "as_international") else str(row.number)
    if hasattr(row, "system"):
        text = f"{row.value} at {row.system}"
    return text + (f" ({', '.join(marks)})" if marks else "")
