"""Notes: what was sent, what waits, and what did not arrive and why (T2)."""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from contacts.admin.history import changes_html
from contacts.admin.whose import NamesContacts
from contacts.models import Contact, HistoryEntry
from contacts.search import contacts_matching
from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.changelist import is_number
from contacts.tenancy.filters import TenantRelatedFilter
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import render_page
from gifts.admin.filters import DonorFilter
from tasks_app.admin import acts
from tasks_app.models import Note, Reason

LATEST = 50
LOOKS = {"waiting": "none", "maybe": "warn", "sent": "good", "failed": "bad", "held": "warn", "withdrawn": "none"}


@admin.register(Note)
class NoteAdmin(NamesContacts, ReadOnlyTenantAdmin):
    """Every note, the newest first."""

    area = "thanks"
    list_display = ["made", "whom", "words", "standing", "what_happened"]
    list_display_links = ["made"]
    list_filter = [("state", ChoicesDropdownFilter), ("template", TenantRelatedFilter), DonorFilter]
    list_before_template = "admin/thanks/notes_before.html"
    search_fields = ["subject"]  # what is searched says `get_search_results`
    search_help_text = "Name, email address, phone number or id of the donor"
    ordering = ["-created_at", "-pk"]
    empty_sentence = (
        "A note is a thank-you by email in your words. Choose under Settings or in a milestone rule that a note is "
        "sent, or send one from a contact’s page."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("contact", "template")
        return rows.prefetch_related(Prefetch("reasons", Reason.objects.order_by("pk"), to_attr="why_sent"))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By donor, found as on the page of contacts."""
        if not search_term.strip():
            return queryset, False
        donors = contacts_matching(Contact.objects.all(), search_term).order_by().values("pk")
        return queryset.filter(contact__in=donors), False

    def get_urls(self) -> list[Any]:
        """The buttons; each is a POST."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:object_id>/send-again/", wrap(acts.send_again), name="tasks_app_note_send_again"),
            path("<int:object_id>/stop/", wrap(acts.stop), name="tasks_app_note_stop"),
            *super().get_urls(),
        ]

    @display(description="Made", ordering="created_at")
    def made(self, row: Note) -> str:
        at = date_format(timezone.localtime(row.created_at), "M j, Y, H:i")
        return format_html('<span class="al-nowrap">{}</span>', at)

    @display(description="Donor")
    def whom(self, row: Note) -> str:
        return str(row.contact.called)

    @display(description="Words")
    def words(self, row: Any) -> str:
        return row.subject or " ".join(one.sentence for one in row.why_sent[:2])

    @display(description="State", ordering="state")
    def standing(self, row: Note) -> str:
        return format_html('<span class="al-badge al-{}">{}</span>', LOOKS[row.state], row.get_state_display())

    @display(description="What happened")
    def what_happened(self, row: Note) -> str:
        if row.why or row.state != Note.State.WAITING:
            return row.why
        return f"Goes out on {date_format(timezone.localtime(row.due_at), 'M j, H:i')}"

    # --- one of them ---

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What it said, to whom, why, and what became of it."""
        require(request, SEE, self.area)
        row = self.get_queryset(request).filter(pk=object_id).first() if is_number(object_id) else None
        if row is None:
            raise Http404
        if request.method not in ("GET", "HEAD"):
            self._refuse(request, object_id)
        entries = HistoryEntry.objects.filter(list_uid=row.uid)[:LATEST]
        context = {
            "row": row, "look": LOOKS[row.state], "may_act": is_allowed(request, CHANGE, self.area),
            "may_send": row.state in (Note.State.FAILED, Note.State.HELD),
            "history": [(entry, changes_html(entry)) for entry in entries],
        }  # fmt: skip
        return render_page(request, "admin/thanks/note.html", f"Note to {row.contact.called}", context)
