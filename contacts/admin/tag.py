"""The staff's page for tags."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from contacts import services
from contacts.admin.bulk import people
from contacts.models import Tag
from contacts.tenancy.admin import TenantAdmin


@admin.register(Tag)
class TagAdmin(TenantAdmin):
    """Tags with the number of contacts that have them."""

    area = "contacts"
    fields = ["name"]
    ordering = ["name"]
    list_display = ["name", "contacts"]
    search_fields = ["name"]
    empty_sentence = (
        "Tags are your own words for contacts, such as “volunteer”. You can also type them on a contact’s page."
    )

    def listed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.annotate(uses=Count("contact_tags"))

    @display(description="Contacts", ordering="uses")
    def contacts(self, tag: Any) -> str:
        """How many contacts have it."""
        return f"{tag.uses:,}"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Counted, not listed."""
        uses = sum(tag.contact_tags.count() for tag in objs)
        return [f"{people(uses)} will lose the tag."], {"contacts": uses}, set(), []

    def delete_model(self, request: HttpRequest, obj: Tag) -> None:
        services.delete_tag(obj)
