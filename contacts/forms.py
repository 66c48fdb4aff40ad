"""Forms of the staff's pages for contacts: the contact itself, its parts, and the question before a bulk action."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts.models import Contact, ContactList, ContactTag, EmailAddress, Tag
from contacts.models.contact import address_key
from contacts.tenancy.together import Joined, SeenForm, SeenFormSet


class ContactForm(SeenForm):
    """A contact with its tags: known ones are picked, new ones typed."""

    tags: Any = forms.ModelMultipleChoiceField(queryset=None, required=False)
    new_tags = forms.CharField(
        required=False, max_length=400, widget=UnfoldAdminTextInputWidget,
        help_text="For tags you do not have yet. Separate several with commas.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "tags" in self.fields:  # not for those who may only look
            field = self.fields["tags"]
            field.queryset = Tag.objects.all()  # type: ignore[attr-defined]
            field.widget = AutocompleteSelectMultiple(ContactTag._meta.get_field("tag"), admin.site)
            field.widget.choices = field.choices  # type: ignore[attr-defined]
            if self.instance.pk:
                field.initial = [row.tag_id for row in self.instance.contact_tags.all()]
                field.show_hidden_initial, field.hidden_widget = True, Joined

    def clean_tags(self) -> Any:
        """What was put on or taken off on this page; tags that somebody else has changed meanwhile stay so."""
        chosen, name = self.cleaned_data["tags"], self.add_initial_prefix("tags")
        if name not in self.data:
            return chosen
        seen = set(Joined().value_from_datadict(self.data, self.files, name))
        now, wanted = set(self.fields["tags"].initial), {tag.pk for tag in chosen}
        return Tag.objects.filter(pk__in=(now | (wanted - seen)) - (seen - wanted))

    def clean_new_tags(self) -> list[str]:
        """The names, each once."""
        names = {" ".join(name.split()): None for name in self.cleaned_data["new_tags"].split(",") if name.strip()}
        if any(len(name) > 80 for name in names):
            raise ValidationError("A tag has at most 80 letters.")
        return list(names)

    def clean_notes(self) -> str:
        """Browsers send line ends of their own; that is no change."""
        return str(self.cleaned_data["notes"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, Any] | None:
        """An organization needs its name; a person may be known by an address alone."""
        cleaned = super().clean()
        given = self.cleaned_data
        if given.get("kind") == Contact.Kind.ORGANIZATION and not given.get("organization_name"):
            self.add_error("organization_name", "Give the name of the organization.")
        return cleaned


class PrimaryFormSet(SeenFormSet):
    """Rows of which at most one is the primary one."""

    noun = "row"

    def kept(self) -> list[Any]:
        """The forms whose rows will be there after saving."""
        return [
            form
            for form in self.forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE") and (form.has_changed() or form.instance.pk)
        ]

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        if len([form for form in self.kept() if form.cleaned_data.get("is_primary")]) > 1:
            raise ValidationError(f"Only one {self.noun} can be the primary one. Take the mark off the others.")

    def save(self, commit: bool = True) -> Any:
        """The old primary row loses its mark before the new one gets it: there is never a moment with two."""
        rows = super().save(commit=False)
        if commit:
            for row in self.deleted_objects:
                row.delete()
            for row in sorted(rows, key=lambda row: row.is_primary):
                row.save()
        return rows


class EmailForm(SeenForm):
    """One address. How the addresses of a contact go together is judged by the form set."""

    instance_key = ""  # the address as it is in the database, for whoever changes it

    def clean(self) -> dict[str, Any]:
        """A complaint about spam is the person's own word (L35): it goes with the address, not with a click. That mail
        came back from an address says nothing about the one that is entered in its place (L20)."""
        cleaned = super().clean() or {}
        was, now = self.initial.get("state"), cleaned.get("state")
        is_same = address_key(str(cleaned.get("address", ""))) == self.instance_key
        if now is not None and not is_same and "state" not in self.changed_data:
            cleaned["state"] = EmailAddress.State.OK
        if was == EmailAddress.State.COMPLAINED and now not in (None, was) and is_same:
            self.add_error("state", "They reported your mail as spam. Only their own word takes that back.")
        return cleaned

    def validate_constraints(self) -> None:
        """Not row by row: marking another address primary changes two rows at once."""


class EmailFormSet(PrimaryFormSet):
    """The addresses of one contact: each once, and exactly one primary."""

    noun = "email address"

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = self.kept()
        keys = [address_key(form.cleaned_data["address"]) for form in kept]
        if len(set(keys)) < len(keys):
            raise ValidationError("The same email address is there twice.")
        for form, key in zip(kept, keys, strict=True):
            taken = any(key == other.instance_key for other in kept if other is not form and other.instance.pk)
            if taken:
                form.add_error("address", "Another row has this address. Change that row first, save, then this one.")
        if len(kept) == 1 and not kept[0].cleaned_data.get("is_primary"):
            kept[0].instance.is_primary = True  # the only address is the primary one, nobody has to say so
            kept[0].cleaned_data["is_primary"] = True
            self.only_one = kept[0]
        elif kept and not any(form.cleaned_data.get("is_primary") for form in kept):
            raise ValidationError("Mark the email address that lists are sent to as the primary one.")

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.instance_key = form.instance.address_key  # as it is in the database
        return form

    def save(self, commit: bool = True) -> Any:
        rows = super().save(commit)
        only = getattr(self, "only_one", None)
        if commit and only is not None and only.instance not in rows:
            only.instance.save()
        return rows


class PhoneForm(SeenForm):
    """One number. What a program of others has sent may be one that nobody has; it is judged once it is changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = self.instance.number if self.instance.pk else None
        if kept and not kept.is_valid() and "number" in self.fields:
            field: Any = self.fields["number"]
            judged = field.clean
            field.clean = lambda value: kept if str(value).strip() == str(kept) else judged(value)

    def _get_validation_exclusions(self) -> set[str]:
        """The field has judged it already."""
        found: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return found | {"number"}


class PhoneFormSet(PrimaryFormSet):
    noun = "phone number"


class PostalFormSet(PrimaryFormSet):
    noun = "postal address"


class MembershipForm(SeenForm):
    """A place on a list. Which list it is on does not change: one is taken off, and put on another."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "contact_list" in self.fields:
            field = self.fields["contact_list"]
            field.disabled = True
            # Its one choice is at hand; a search for others would ask the database once a row.
            choices = [(self.instance.contact_list_id, str(self.instance.contact_list))]
            field.widget = UnfoldAdminSelectWidget(choices=choices, attrs={"disabled": True})


class ChooseListForm(forms.Form):
    """Which list a bulk action is about."""

    contact_list: Any = forms.ModelChoiceField(
        queryset=None, label="List", empty_label="Choose a list", widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["contact_list"]
        field.queryset, field.label_from_instance = ContactList.objects.all(), ContactList.in_choices
