"""What a bulk action takes besides contacts: a list, or a tag."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts.forms import ChooseListForm
from contacts.models import Tag


class ListTarget(ChooseListForm):
    """Which list."""

    def target(self) -> Any:
        """The chosen one."""
        return self.cleaned_data["contact_list"]


class TagTarget(forms.Form):
    """Which tag."""

    tag: Any = forms.ModelChoiceField(
        queryset=None, label="Tag", empty_label="Choose a tag", widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tag"].queryset = Tag.objects.all()  # type: ignore[attr-defined]

    def target(self) -> Any:
        """The chosen one."""
        return self.cleaned_data["tag"]


class NewTagTarget(TagTarget):
    """A tag that is there, or the name of a new one."""

    new_tag = forms.CharField(
        required=False, max_length=80, label="Or a new tag", widget=UnfoldAdminTextInputWidget,
        help_text="Leave it empty to use the tag above.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tag"].required = False

    def clean_new_tag(self) -> str:
        """Single spaces."""
        return " ".join(self.cleaned_data["new_tag"].split())

    def clean(self) -> dict[str, Any] | None:
        """One of the two."""
        cleaned = super().clean()
        if not self.errors and bool(self.cleaned_data.get("tag")) == bool(self.cleaned_data.get("new_tag")):
            raise ValidationError("Choose a tag, or type the name of a new one.")
        return cleaned

    def target(self) -> Any:
        """The chosen tag; one of the typed name, made if there is none."""
        name = self.cleaned_data["new_tag"]
        if not name:
            return self.cleaned_data["tag"]
        return Tag.objects.filter(name__iexact=name).first() or Tag.objects.create(name=name)
