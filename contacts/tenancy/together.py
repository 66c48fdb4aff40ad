"""Forms for pages that several people have open at once: each saves what they changed there, and nothing else.

With every field goes, hidden, what the page showed. What stands there unchanged is left as the database has it now;
otherwise whoever mends a telephone number would take back the opt-out that came in while their page was open.
"""

from typing import Any

from django import forms
from django.core.exceptions import FieldDoesNotExist


class SeenForm(forms.ModelForm):
    """The base of every form on the staff's site that changes a row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in filter(self._is_watched, self.fields):
                is_sent = self.add_initial_prefix(name) in self.data
                self.fields[name].show_hidden_initial = is_sent or not self.is_bound

    def _is_watched(self, name: str) -> bool:
        """Whether this is a plain value of the row itself."""
        try:
            return not self._meta.model._meta.get_field(name).is_relation and name not in self.declared_fields  # type: ignore[attr-defined]
        except FieldDoesNotExist:
            return False

    def _clean_fields(self) -> None:
        """Take from the database what was not changed here; say so where somebody else has changed the same."""
        super()._clean_fields()  # type: ignore[misc]
        for name in [n for n, field in self.fields.items() if field.show_hidden_initial and self._is_watched(n)]:
            if name not in self.changed_data:
                self.cleaned_data[name] = getattr(self.instance, name)
                self.errors.pop(name, None)
            elif self._is_contested(name):
                now = self.initial[name]
                data: Any = self.data.copy()  # type: ignore[attr-defined]
                data[self.add_initial_prefix(name)] = self[name].field.prepare_value(now)
                self.data = data
                self.add_error(
                    name, f"Somebody has changed this to “{now}” while the page was open. Save again if yours is right."
                )

    def _is_contested(self, name: str) -> bool:
        """Whether the database says neither what the page showed nor what was typed."""
        field, now = self.fields[name], self.initial.get(name)
        hidden: Any = field.hidden_widget()
        shown = hidden.value_from_datadict(self.data, self.files, self.add_initial_prefix(name))
        return field.has_changed(now, shown) and field.has_changed(now, self[name].data)


class Joined(forms.HiddenInput):
    """Several numbers in one hidden field, which is there even if there are none."""

    def format_value(self, value: Any) -> str:
        """1,2,3"""
        return ",".join(str(getattr(one, "pk", one)) for one in value or [])

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[int]:
        """The numbers."""
        return [int(one) for one in (data.get(name) or "").split(",") if one.isdecimal() and len(one) < 18]
