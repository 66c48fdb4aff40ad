"""Gives a provider's plain settings form the look of the staff's pages, so that providers need not know the theme."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

# The most particular first: the first that fits is taken.
LOOKS: list[tuple[type[forms.Widget], type[forms.Widget]]] = [
    (forms.RadioSelect, UnfoldAdminRadioSelectWidget),
    (forms.Select, UnfoldAdminSelectWidget),
    (forms.Textarea, UnfoldAdminTextareaWidget),
    (forms.CheckboxInput, UnfoldBooleanWidget),
    (forms.EmailInput, UnfoldAdminEmailInputWidget),
    (forms.NumberInput, UnfoldAdminIntegerFieldWidget),
    (forms.TextInput, UnfoldAdminTextInputWidget),
]


def dress(form: forms.BaseForm) -> forms.BaseForm:
    """The form, with the theme's widgets in place of Django's."""
    for field in form.fields.values():
        plain = field.widget
        for kind, look in LOOKS:
            if isinstance(plain, kind):
                extra: dict[str, Any] = (
                    {"choices": plain.choices} if isinstance(plain, forms.widgets.ChoiceWidget) else {}
                )
                dressed = look(attrs=dict(plain.attrs), **extra)
                dressed.is_required = plain.is_required
                field.widget = dressed
                break
    return form


def groups_of(form: forms.BaseForm) -> list[tuple[str, str, list[forms.BoundField]]]:
    """(heading, sentence, fields): as the provider's form groups them in `GROUPS`, else everything together."""
    grouped: list[tuple[str, str, tuple[str, ...]]] = getattr(form, "GROUPS", [("Settings", "", tuple(form.fields))])
    return [(heading, sentence, [form[name] for name in names]) for heading, sentence, names in grouped]
