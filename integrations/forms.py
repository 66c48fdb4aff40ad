"""Forms: the brake, which all services share, and the theme's look for a provider's own plain form."""

from typing import Any, ClassVar

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

from integrations.sync import brake

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


class BrakeForm(forms.Form):
    """When taking people off a list stops and asks (L32): the same for every service."""

    brake_people = forms.IntegerField(
        label="Ask before more than so many people are taken off one list", min_value=1, max_value=1_000_000,
        required=False,
    )  # fmt: skip
    brake_percent = forms.IntegerField(
        label="… or more than so many percent of it", min_value=0, max_value=100, required=False,
        help_text="Whichever of the two is more. Unsubscribes are never held back.",
    )  # fmt: skip
    GROUPS: ClassVar = [("Brake", "", ("brake_people", "brake_percent"))]

    @classmethod
    def of(cls, data: Any, settings: dict[str, Any]) -> "BrakeForm":
        """The form with the present choice, or the usual one."""
        chosen = brake.chosen(settings)
        return cls(data, initial={"brake_people": chosen.people, "brake_percent": chosen.percent})

    def to_settings(self) -> dict[str, Any]:
        """What to keep beside the provider's own settings; what is left empty stays as it was."""
        given = {name: self.cleaned_data[name] for name in ("brake_people", "brake_percent")}
        kept = {name: self.initial[name] if value is None else value for name, value in given.items()}
        return {"brake": {"people": kept["brake_people"], "percent": kept["brake_percent"]}}


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
