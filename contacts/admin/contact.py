"""The page of one contact, to read and to edit."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from contacts import custom_forms, services
from contacts.admin import contact_inlines
from contacts.admin.bulk import BulkActions
from contacts.admin.contact_columns import ContactColumns
from contacts.admin.exports import ExportAction
from contacts.admin.history import HistoryPage
from contacts.custom_forms import CustomFieldsOnPage
from contacts.forms import ContactForm
from contacts.models import Contact
from contacts.tenancy.admin import TenantAdmin
from contacts.tenancy.roles import CHANGE, is_allowed


@admin.register(Contact)
class ContactAdmin(ContactColumns, BulkActions, ExportAction, CustomFieldsOnPage, HistoryPage, TenantAdmin):
    """People and organizations."""

    area = "contacts"
    history_by = ("contact_uid", "uid")
    form = ContactForm
    inlines = contact_inlines.ALL
    fieldsets = [
        (None, {"fields": ["kind", ("first_name", "last_name"), ("organization_name", "job_title")]}),
        ("May we write to them?", {"fields": ["do_not_contact"]}),
        ("Tags and notes", {"fields": [("tags", "new_tags"), ("notes", "custom_user_id")]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Those who may only look are not asked for new tags."""
        more = custom_forms.section(request, self.area)
        if is_allowed(request, CHANGE, self.area):
            return self.fieldsets + more
        return [
            (title, {"fields": ["tags", ("notes", "custom_user_id")]} if title == "Tags and notes" else options)
            for title, options in self.fieldsets
        ] + more

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        services.set_tags(form.instance, form.cleaned_data["tags"], form.cleaned_data["new_tags"])
        custom_forms.save(form)

    def delete_model(self, request: HttpRequest, obj: Contact) -> None:
        obj.delete()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Counted, not listed: what goes with a contact is theirs alone."""
        sentences = []
        for obj in objs:
            on_lists = [row.contact_list.name for row in obj.memberships.select_related("contact_list")]
            sentences.append("Addresses, phone numbers, tags and places on lists go with the contact.")
            if on_lists:
                sentences.append(
                    f"On lists: {', '.join(on_lists)}. Where a list is synchronized, they leave it there too."
                )
        return sentences, {"contacts": len(objs)}, set(), []

    def tags(self, contact: Contact) -> str:
        """For those who may only look."""
        return ", ".join(str(row.tag) for row in contact.contact_tags.select_related("tag"))
