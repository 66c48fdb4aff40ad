"""Forms: what all services share (whose data count, the brake), and the theme's look for a provider's plain form."""

from collections.abc import Mapping
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

from integrations.models import Connection
from integrations.owner_words import LABELS, explain_owner, owner_label
from integrations.provider_kit.states import Owner
from integrations.providers import all_providers
from integrations.sync import brake
from integrations.sync.owners import ADDRESS, choices_of, owner_of

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


class OwnersForm(forms.Form):
    """Whose value counts where this side and the service differ, field by field (L22): the same for every service."""

    def __init__(
        self, data: Any, settings: Mapping[str, Any], service: str, fields: tuple[str, ...], every: Any
    ) -> None:
        self.settings, self.every = settings, (ADDRESS, *every)
        super().__init__(data)
        for field in (ADDRESS, *fields):
            self.fields[f"owner_{field}"] = forms.ChoiceField(
                label=LABELS[field], initial=owner_of(settings, field), required=False,
                choices=[(str(one), owner_label(one, service)) for one in choices_of(field)],
                help_text="A change made here is sent in every case, so that the old address gets no more mail."
                if field == ADDRESS else "",
            )  # fmt: skip
        self.choices = [(owner_label(one, service), explain_owner(one, service)) for one in Owner]

    @classmethod
    def of(cls, data: Any, connection: Connection) -> "OwnersForm":
        """The form for what is sent over this connection, with the present choices."""
        kind, settings = all_providers()[connection.provider], connection.settings
        return cls(data, settings, kind.label, kind.policy(settings).fields, kind.policy({}).fields)

    def to_settings(self) -> dict[str, Any]:
        """What to keep beside the provider's own settings; for what is not sent now, the choice made earlier."""
        given = self.cleaned_data
        return {
            "owners": {
                field: given.get(f"owner_{field}") or str(owner_of(self.settings, field)) for field in self.every
            }
        }


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
