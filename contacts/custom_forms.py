"""The organization's own fields on the page of a contact: as form fields for those who may change it, as text for the
others."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts import custom
from contacts.models import Contact, CustomField
from contacts.tenancy.roles import CHANGE, is_allowed

TITLE = "More about them"
YES_NO = [("", "Unknown"), ("yes", "Yes"), ("no", "No")]
WIDGETS: dict[str, dict[str, str]] = {
    CustomField.Kind.NUMBER: {"inputmode": "decimal"},  # not type=number: it takes no “1,234” and turns with the wheel
    CustomField.Kind.DATE: {"type": "date"},
}


class Judged:
    """A form field whose values are judged by the custom field it stands for."""

    custom: CustomField

    def clean(self, value: Any) -> str:
        """The canonical value, or a sentence."""
        return custom.canonical(self.custom, str(value or ""))


class Written(Judged, forms.CharField):
    """A text, a number or a date."""


class Chosen(Judged, forms.ChoiceField):
    """One of several, or yes or no."""


def form_field(field: CustomField) -> Written | Chosen:
    """The form field for one custom field."""
    options: dict[str, Any] = {
        "label": field.name, "required": False, "help_text": field.help_text,
        # What was changed on the page is told by what the page showed, not by what somebody else has saved since.
        "show_hidden_initial": True,
    }  # fmt: skip
    made: Written | Chosen
    if field.kind in (CustomField.Kind.CHOICE, CustomField.Kind.YES_NO):
        choices = YES_NO if field.kind == CustomField.Kind.YES_NO else [("", "–"), *((c, c) for c in field.choices)]
        made = Chosen(choices=choices, widget=UnfoldAdminSelectWidget, **options)
    else:
        made = Written(widget=UnfoldAdminTextInputWidget(WIDGETS.get(field.kind)), **options)
    made.custom = field
    return made


def name_of(field: CustomField) -> str:
    """What its form field is called."""
    return f"custom_{field.pk}"


def fields_for(request: HttpRequest) -> list[CustomField]:
    """The organization's fields, read once for each request."""
    if not hasattr(request, "_custom_fields"):
        request._custom_fields = list(custom.fields())  # type: ignore[attr-defined]
    return request._custom_fields  # type: ignore[attr-defined]


class WithCustomValues:
    """Mixed into the form of a contact: the values it has now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        contact: Contact = self.instance  # type: ignore[attr-defined]
        values = custom.values_of([contact]).get(contact.pk, {}) if contact.pk and self.customs else {}
        for name, field in self.customs.items():
            self.initial.setdefault(name, values.get(field.custom.pk, ""))  # type: ignore[attr-defined]

    @property
    def customs(self) -> dict[str, Judged]:
        """{name: its field} of the custom fields."""
        return {n: f for n, f in self.fields.items() if isinstance(f, Judged)}  # type: ignore[attr-defined]


def form_with(form: type[forms.ModelForm], request: HttpRequest) -> type[forms.ModelForm]:
    """The form of a contact with the organization's own fields."""
    own = {name_of(field): form_field(field) for field in fields_for(request)}
    return type(form.__name__, (WithCustomValues, form), own)


def save(form: Any) -> None:
    """Write what was changed on the page. A field that was not on it, because it is newer, stays as it is."""
    changed = set(form.changed_data) & form.data.keys()
    values = {f.custom: form.cleaned_data[name] for name, f in form.customs.items() if name in changed}
    if values:
        custom.set_values(form.instance, values)


def section(request: HttpRequest, area: str) -> list[tuple[str, dict[str, Any]]]:
    """The part of the page with these fields; none without any."""
    fields = fields_for(request)
    names: list[Any] = [name_of(field) for field in fields]
    if not is_allowed(request, CHANGE, area):
        names = [shown(field) for field in fields]
    pairs = [tuple(names[i : i + 2]) for i in range(0, len(names), 2)]
    return [(TITLE, {"fields": pairs})] if pairs else []


def shown(field: CustomField) -> Callable[[Contact], str]:
    """Its value as text, for those who may only look."""

    def value(contact: Contact) -> str:
        if not hasattr(contact, "_custom"):
            contact._custom = custom.values_of([contact]).get(contact.pk, {})  # type: ignore[attr-defined]
        text = contact._custom.get(field.pk, "")  # type: ignore[attr-defined]
        return text.capitalize() if field.kind == CustomField.Kind.YES_NO else text

    value.__name__ = name_of(field)
    value.short_description = field.name  # type: ignore[attr-defined]
    return value


class CustomFieldsOnPage:
    """Mixed into the admin of contacts."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """With a field for each of the organization's own."""
        if is_allowed(request, CHANGE, self.area):  # type: ignore[attr-defined]
            form: Any = kwargs.get("form") or self.form  # type: ignore[attr-defined]
            kwargs["form"] = form_with(form, request)
        return super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
