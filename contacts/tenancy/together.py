"""Forms for pages that several people have open at once: each saves what they changed there, and nothing else.

With every field goes, hidden, what the page showed. What stands there unchanged is left as the database has it now;
otherwise whoever mends a telephone number would take back the opt-out that came in while their page was open.
"""

import re
from typing import Any

from django import forms
from django.core.exceptions import FieldDoesNotExist
from unfold.forms import PaginationInlineFormSet


class SeenForm(forms.ModelForm):
    """The base of every form on the staff's site that changes a row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in filter(self._is_watched, self.fields):
                is_sent = self.add_initial_prefix(name) in self.data
                self.fields[name].show_hidden_initial = is_sent or not self.is_bound

    def typed_in_vain(self) -> str:
        """“Address: new@rivermail.test”: what was changed here in a row that is gone; “” for nothing."""
        for name in filter(self._is_watched, self.fields):
            self.fields[name].show_hidden_initial = self.add_initial_prefix(name) in self.data
        names = [] if "DELETE" in self.changed_data else filter(self._is_watched, self.changed_data)
        return ", ".join(f"{self[name].label}: {in_words(self[name].data)}" for name in names)

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
                words = ", ".join(str(now).splitlines())
                self.add_error(
                    name,
                    f"Somebody has changed this to “{words}” while the page was open. Save again if yours is right.",
                )

    def _is_contested(self, name: str) -> bool:
        """Whether the database says neither what the page showed nor what was typed."""
        field, now = self.fields[name], self.initial.get(name)
        hidden: Any = field.hidden_widget()
        shown = hidden.value_from_datadict(self.data, self.files, self.add_initial_prefix(name))
        return all(field.has_changed(with_plain_lines(now), with_plain_lines(one)) for one in (shown, self[name].data))


def with_plain_lines(value: Any) -> Any:
    """Browsers send line ends of their own; that is no change."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


class SeenFormSet(PaginationInlineFormSet):
    """Rows of a page. Those that somebody has deleted meanwhile are left out, and hold up nobody who saves the rest."""

    data: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lost: list[str] = []  # a sentence for each change that was made in a row that is gone
        if self.is_bound:
            self._leave_out({i for i in range(self.initial_form_count()) if not self._is_here(i)})

    def _is_here(self, i: int) -> bool:
        return super()._construct_form(i).instance.pk is not None

    def _leave_out(self, gone: set[int]) -> None:
        """Tell what was changed in these rows, and go on with what was sent about the others."""
        noun = str(self.model._meta.verbose_name)
        for form in map(super()._construct_form, sorted(gone)):
            if values := form.typed_in_vain():
                self.lost.append(
                    f"Somebody deleted one {noun} while you had the page open, so your change in it was not saved "
                    f"({values}). Add it again if it should be there."
                )
        if gone:
            stay = [str(i) for i in range(self.total_form_count()) if i not in gone]
            number, row = (
                {old: new for new, old in enumerate(stay)},
                re.compile(rf"(initial-)?{self.prefix}-(\d+)-(.+)"),
            )
            data = self.data.copy()
            for name in [name for name in self.data if row.fullmatch(name)]:
                del data[name]
            for name, values in self.data.lists():
                if (found := row.fullmatch(name)) and found[2] in number:
                    data.setlist(f"{found[1] or ''}{self.prefix}-{number[found[2]]}-{found[3]}", values)
            data[f"{self.prefix}-TOTAL_FORMS"] = str(len(stay))
            data[f"{self.prefix}-INITIAL_FORMS"] = str(self.initial_form_count() - len(gone))
            self.data = data
            del self.management_form


def in_words(value: Any) -> str:
    """What a form sends, for a person."""
    return {"on": "yes", "True": "yes", True: "yes", False: "no", None: "no", "": "empty"}.get(value, str(value))


class Joined(forms.HiddenInput):
    """Several numbers in one hidden field, which is there even if there are none."""

    def format_value(self, value: Any) -> str:
        """1,2,3"""
        return ",".join(str(getattr(one, "pk", one)) for one in value or [])

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[int]:
        """The numbers."""
        return [int(one) for one in (data.get(name) or "").split(",") if one.isdecimal() and len(one) < 18]
