"""The page of one contact, to read and to edit."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import RestrictedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from contacts import custom_forms, services
from contacts.admin import contact_actions, contact_inlines
from contacts.admin.bulk import BulkActions
from contacts.admin.contact_columns import ContactColumns
from contacts.admin.contact_page import beside_the_form, whole
from contacts.admin.contact_parts import SHORT, parts_of, say_who_is_out
from contacts.admin.exports import ExportAction
from contacts.admin.history import HistoryPage
from contacts.admin.merging import KnowsDuplicates
from contacts.custom_forms import CustomFieldsOnPage
from contacts.forms import ContactForm
from contacts.holds import Held, held, sentence
from contacts.models import ConsentEvent, Contact, kept_marks
from contacts.tenancy.admin import TenantAdmin
from contacts.tenancy.roles import CHANGE, is_allowed
from contacts.timeline import where


@admin.register(Contact)
class ContactAdmin(
    ContactColumns, BulkActions, ExportAction, CustomFieldsOnPage, KnowsDuplicates, HistoryPage, TenantAdmin
):
    """People and organizations."""

    area = "contacts"
    history_by = ("contact_uid", "uid")
    form = ContactForm
    change_form_template = "admin/contacts/contact.html"
    inlines = contact_inlines.ALL
    fieldsets = [
        (None, {"fields": ["kind", ("first_name", "last_name"), ("organization_name", "job_title")]}),
        ("May we write to them?", {"fields": ["do_not_contact"]}),
        ("Tags", {"fields": [("tags", "new_tags")]}),
        ("Notes and id", {"fields": ["notes", "custom_user_id"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Those who may only look are not asked for new tags."""
        more = custom_forms.section(request, self.area)
        if is_allowed(request, CHANGE, self.area):
            return self.fieldsets + more
        return [
            (title, {"fields": ["tags"]} if title == "Tags" else options) for title, options in self.fieldsets
        ] + more

    class Media:
        js = ["almoner/contact.js"]

    def get_urls(self) -> list[Any]:
        """The buttons of the page; each is a POST."""
        return contact_actions.addresses(self.admin_site.admin_view) + super().get_urls()

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The form in parts, with everything that is known about the person beside it."""
        parts = parts_of(context["adminform"], context["inline_admin_formsets"])
        contact = kwargs.get("obj")
        if contact and contact.pk:
            # As it is in the database: a form with mistakes in it has changed the row at hand.
            saved = whole(self.get_queryset(request)).get(pk=contact.pk)
            context |= beside_the_form(request, saved) | {
                "saved": saved, "parts": parts, "subtitle": saved.called,
            }  # fmt: skip
            if context["consent"].is_out and not saved.do_not_contact:
                say_who_is_out(parts)
            if context["add_form"]:
                context["media"] += context["add_form"].media
        else:
            context["short_parts"] = [part for part in parts if part.title in SHORT]
            context["parts"] = [part for part in parts if part.title not in SHORT]
        context["mistakes"] = [part for part in parts if part.errors]
        context["is_editable"] = self.has_change_permission(request, contact)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_post_save_change(self, request: HttpRequest, obj: Contact) -> HttpResponse:
        """Saving stays on the page."""
        return redirect("admin:contacts_contact_change", obj.pk)

    def response_post_save_add(self, request: HttpRequest, obj: Contact) -> HttpResponse:
        """On to the new contact's page."""
        return redirect("admin:contacts_contact_change", obj.pk)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        before = said_of(form.instance).first()
        super().save_related(request, form, formsets, change)
        for event in said_of(form.instance).filter(
            pk__gt=before.pk if before else 0, source__in=kept_marks.COMING_BACK
        ):
            messages.warning(request, told_of(form.instance, event))
        services.set_tags(form.instance, form.cleaned_data["tags"], form.cleaned_data["new_tags"])
        custom_forms.save(form)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """A gift may have come in since the question was asked."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except (Held, RestrictedError) as why:
            words = (
                str(why) if isinstance(why, Held) else "Something was added to this contact a moment ago. Look again."
            )
            messages.error(request, words)
            return redirect("admin:contacts_contact_change", object_id)

    def delete_model(self, request: HttpRequest, obj: Contact) -> None:
        services.delete_contact(obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Counted, not listed: what goes with a contact is theirs alone."""
        sentences, kept = [], held([obj.pk for obj in objs])
        for obj in objs:
            on_lists = [row.contact_list.name for row in obj.memberships.select_related("contact_list")]
            sentences.append("Addresses, phone numbers, tags and places on lists go with the contact.")
            if on_lists:
                sentences.append(
                    f"On lists: {', '.join(on_lists)}. Where a list is synchronized, they leave it there too."
                )
        why = [sentence(obj, kept[obj.pk]) for obj in objs if obj.pk in kept]
        return sentences, {"contacts": len(objs)}, set(), why

    def tags(self, contact: Contact) -> str:
        """For those who may only look."""
        return ", ".join(str(row.tag) for row in contact.contact_tags.select_related("tag"))


def told_of(contact: Contact, event: ConsentEvent) -> str:
    """What holds for somebody from before, to whoever has just added them."""
    if event.kind == ConsentEvent.Kind.OPT_OUT:
        return f"{contact} has opted out {where(event)}, in their own words. {event.source}."
    marked = f"{contact} is marked Do Not Contact {where(event)}. {event.source}."
    return f"{marked} If that is not right any more, clear the mark."


def said_of(contact: Contact) -> Any:
    """What the consent ledger says of somebody, the newest first."""
    return ConsentEvent.objects.filter(contact_uid=contact.uid).order_by("-pk")
