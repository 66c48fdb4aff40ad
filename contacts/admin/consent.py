"""The consent ledger (L35), to read and to search; rows are only ever added, by what happens."""

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from contacts.admin.history import local
from contacts.admin.whose import KnowsWhose, whose
from contacts.models import ConsentEvent
from contacts.templatetags.addresses import breakable
from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.timeline import holds


@admin.register(ConsentEvent)
class ConsentEventAdmin(KnowsWhose, ReadOnlyTenantAdmin):
    """Who decided what about being contacted, when, and from where."""

    area = "contacts"
    rows_called = ("decision", "decisions")
    list_display = ["when", "decision", "name", "mail", "where", "who", "source"]
    list_display_links = ["when"]
    list_filter = [("kind", ChoicesDropdownFilter), ("by", ChoicesDropdownFilter)]
    search_fields = ["contact_name", "address", "list_name", "actor_label"]
    empty_sentence = "Each opt-in, opt-out and change of Do Not Contact will be noted here by itself."
    search_help_text = "The name or address of a contact, a list, or who decided"
    fields = ["when", "decision", "name", "address", "where", "who", "by", "source", "place", "detail"]
    readonly_fields = ["when", "decision", "name", "where", "who"]
    ordering = ["-at", "-pk"]

    @display(description="When", ordering="at")
    def when(self, event: ConsentEvent) -> str:
        return local(event.at)

    @display(
        description="Decision",
        label={"Opted in": "success", "Opted out": "danger", "Do Not Contact set": "danger"},
    )
    def decision(self, event: ConsentEvent) -> str:
        return event.get_kind_display()

    @display(description="Contact", ordering="contact_name")
    def name(self, event: ConsentEvent) -> str:
        return whose(event, event.contact_name)

    @display(description="Address", ordering="address")
    def mail(self, event: ConsentEvent) -> str:
        return breakable(event.address)

    @display(description="Who decided", ordering="actor_label")
    def who(self, event: ConsentEvent) -> str:
        return event.actor_label

    @display(description="Where it holds")
    def where(self, event: ConsentEvent) -> str:
        words = holds(event)
        return words if event.list_name else words[:1].upper() + words[1:]
