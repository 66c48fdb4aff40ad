"""Past and present bulk changes: the list of them, and the page of one with its progress and its report."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from contacts.admin.history import local
from contacts.bulk import VERBS, people
from contacts.models import BulkChange
from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.changelist import is_number
from contacts.tenancy.roles import SEE, require
from contacts.tenancy.views import render_page

State = BulkChange.State
LOOKS = {State.WORKING: "warn", State.DONE: "good", State.FAILED: "bad"}


@admin.register(BulkChange)
class BulkChangeAdmin(ReadOnlyTenantAdmin):
    """What was done to many contacts at once."""

    area = "contacts"
    list_display = ["what", "who", "when", "how_far", "state_badge"]
    list_filter = [("state", ChoicesDropdownFilter)]
    search_fields = ["sentence"]
    search_help_text = "What was done, such as the name of a list"
    ordering = ["-created_at", "-pk"]
    empty_sentence = (
        "When you change more than 500 contacts at once, it is done in the background and shown here: choose contacts "
        "on the page of contacts, then “Select all” and an action."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the numbers of those chosen, of which there may be very many."""
        return super().get_queryset(request).select_related("user").defer("contact_pks")

    def get_urls(self) -> list[Any]:
        """The part of the page that shows how far it is."""
        part = path(
            "<path:object_id>/progress/", self.admin_site.admin_view(self.progress), name="contacts_bulkchange_progress"
        )
        return [part, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one bulk change; it is read, never sent."""
        require(request, SEE, self.area)
        change = self.one(request, object_id)
        if request.method not in ("GET", "HEAD"):
            self._refuse(request, object_id)
        return render_page(request, "admin/contacts/bulk_change.html", change.sentence, shown(change))

    def progress(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the page asks for every second; once it is over, the page loads anew."""
        require(request, SEE, self.area)
        change = self.one(request, object_id)
        if request.GET.get("was") != change.state:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return never_cache(lambda _: render(request, "admin/contacts/bulk_progress.html", shown(change)))(request)

    def one(self, request: HttpRequest, object_id: str) -> Any:
        """A bulk change of this organization."""
        change = self.get_queryset(request).filter(pk=object_id).first() if is_number(object_id) else None
        if change is None:
            raise Http404
        return change

    @display(description="What", ordering="sentence")
    def what(self, change: BulkChange) -> str:
        return change.sentence

    @display(description="Who")
    def who(self, change: BulkChange) -> str:
        return str(change.user or "Somebody who has left")

    @display(description="When", ordering="created_at")
    def when(self, change: BulkChange) -> str:
        return local(change.created_at)

    @display(description="Changed", ordering="changed")
    def how_far(self, change: BulkChange) -> str:
        return people(change.changed)

    @display(description="State", ordering="state")
    def state_badge(self, change: BulkChange) -> str:
        return format_html(
            '<span class="al-badge al-{}">{}</span>', LOOKS[State(change.state)], change.get_state_display()
        )


def shown(change: Any) -> dict[str, Any]:
    """What the page says of it."""
    total, verb = change.total, VERBS.get(change.verb)
    done, left = change.rows_done, total - change.rows_done
    return {
        "change": change, "total": total, "done": done, "left": left, "look": LOOKS[State(change.state)],
        "percent": min(100, done * 100 // total) if total else 100, "is_working": change.state == State.WORKING,
        "report": (verb.done if verb else "{0} changed").format(people(change.changed), change.params.get("name", "")),
        "others": verb.of_others(done - change.changed).replace(".", ", or deleted meanwhile.") if verb else "",
    }  # fmt: skip
