"""The queue of thank-yous, and one of them with why, to whom, and what happened."""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
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
from gifts.models import Giving
from gifts.money import money
from gifts.services import today
from tasks_app.admin import acts, bulk, my_mail, settings_card
from tasks_app.admin.filters import DueBetween, StateFilter, WhoseFilter, tabs
from tasks_app.admin.forms import DismissForm, HandOverForm, SnoozeForm, ThankedForm
from tasks_app.models import Reason, ThankYou
from tasks_app.reach import why_not

LATEST = 50
LOOKS = {"open": "warn", "sent": "good", "done": "good", "dismissed": "none", "withdrawn": "none"}
SHOWN_REASONS = 3


def state_badges(row: ThankYou) -> list[tuple[str, str]]:
    """(words, look)."""
    day, found = today(), []
    if row.is_open and row.snoozed_until and row.snoozed_until > day:
        found.append((f"Put off until {date_format(row.snoozed_until, 'M j')}", "none"))
    elif row.is_open and row.due_on < day:
        found.append(("Overdue", "bad"))
    elif row.is_open and row.due_on == day:
        found.append(("Due today", "warn"))
    elif not row.is_open:
        found.append((str(row.get_state_display()), LOOKS[row.state]))
    if row.is_open and row.contact.do_not_contact:
        found.append(("Do Not Contact", "bad"))
    if row.to_judge:
        found.append(("To look at", "bad"))
    return found


def as_badges(badges: list[tuple[str, str]]) -> str:
    """As the pages show them."""
    return format_html_join(" ", '<span class="al-badge al-{}">{}</span>', [(look, words) for words, look in badges])


def standing_reasons() -> Prefetch:
    """The reasons that hold, for a page of rows: one query."""
    return Prefetch("reasons", Reason.objects.standing().order_by("pk"), to_attr="standing")


@admin.register(ThankYou)
class ThankYouAdmin(NamesContacts, bulk.BulkActions, ReadOnlyTenantAdmin):
    """Who is to be thanked, those first whose day comes first."""

    area = "thanks"
    actions = ["take_these", "hand_these_over", "dismiss_these"]  # type: ignore[assignment]
    list_display = ["whom", "why", "due", "for_whom_it_is", "standing"]
    list_display_links = ["whom"]
    list_filter = [WhoseFilter, StateFilter, ("assignee", TenantRelatedFilter), DueBetween, DonorFilter]
    list_before_template = "admin/thanks/queue_before.html"
    search_fields = ["closing_note"]  # what is searched says `get_search_results`
    search_help_text = "Name, email address, phone number or id of the donor"
    ordering = ["due_on", "pk"]
    rows_called = ("thank-you", "thank-yous")
    empty_sentence = (
        "When a gift comes in or a donor reaches a milestone, somebody is asked here to thank them: with the reasons, "
        "and by when. Which gifts count is said under Settings."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("contact", "assignee__user")
        return rows.prefetch_related(standing_reasons())

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By donor, found as on the page of contacts."""
        if not search_term.strip():
            return queryset, False
        donors = contacts_matching(Contact.objects.all(), search_term).order_by().values("pk")
        return queryset.filter(contact__in=donors), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """With the parts of the queue as tabs."""
        require(request, SEE, self.area)
        return super().changelist_view(request, {"tabs": tabs(request)} | (extra_context or {}))

    def has_thank_permission(self, request: HttpRequest) -> bool:
        """Who may claim, hand over and dismiss."""
        return is_allowed(request, CHANGE, self.area)

    def get_urls(self) -> list[Any]:
        """The buttons, each a POST, and the pages that belong to thank-yous."""
        wrap = self.admin_site.admin_view
        return [
            *acts.addresses(wrap),
            path("settings/", wrap(settings_card.save), name="thanks_settings"),
            path("my-mail/", wrap(my_mail.page), name="my_notifications"),
            *super().get_urls(),
        ]

    @display(description="Donor", ordering="contact__last_name")
    def whom(self, row: ThankYou) -> str:
        return format_html('<span class="th-whom">{}</span>', row.contact.called)

    @display(description="Why")
    def why(self, row: Any) -> str:
        sentences = [reason.sentence for reason in row.standing[:SHOWN_REASONS]]
        if (more := len(row.standing) - SHOWN_REASONS) > 0:
            sentences.append(f"And {more:,} more.")
        return format_html('<span class="th-why">{}</span>', " ".join(sentences) or row.closing_note)

    @display(description="Due", ordering="due_on")
    def due(self, row: ThankYou) -> str:
        return format_html('<span class="al-nowrap">{}</span>', date_format(row.due_on, "M j, Y"))

    @display(description="For", ordering="assignee")
    def for_whom_it_is(self, row: ThankYou) -> str:
        if row.assignee is None:
            return "The team"
        return str(row.assignee.user)

    @display(description="State")
    def standing(self, row: ThankYou) -> str:
        return as_badges(state_badges(row))

    # --- one of them ---

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Who, why, whether and how they may be written to, what happened, and what to do."""
        require(request, SEE, self.area)
        row = self.get_queryset(request).filter(pk=object_id).first() if is_number(object_id) else None
        if row is None:
            raise Http404
        if request.method not in ("GET", "HEAD"):
            self._refuse(request, object_id)
        may_act = is_allowed(request, CHANGE, self.area)
        entries = HistoryEntry.objects.filter(list_uid=row.uid)[: LATEST + 1]
        giving = Giving.objects.filter(contact=row.contact).first()
        context = {
            "row": row, "badges": state_badges(row), "may_act": may_act,
            "is_mine": row.assignee_id == member_pk(request),
            "reasons": [(one, money(one.amount) if one.amount is not None else "")
                        for one in row.reasons.select_related("gift", "award").order_by("pk")[:LATEST]],
            "giving": giving, "total": money(giving.total) if giving else "", "last": last_gift(giving),
            "consent": why_not(row.contact), "events": row.events.order_by("-at", "-pk")[:LATEST],
            "history": [(entry, changes_html(entry)) for entry in entries],
            "donors_page": reverse("admin:contacts_contact_change", args=[row.contact_id]),
        }  # fmt: skip
        if may_act:
            context["has_buttons"] = (
                row.to_judge or not row.is_open or row.snoozed_until or row.assignee_id is None
                or (context["is_mine"] and not row.claimed_at)
            )  # fmt: skip
            context |= {
                "hand_over_form": HandOverForm(initial={"member": row.assignee_id}), "snooze_form": SnoozeForm(),
                "thanked_form": ThankedForm(), "dismiss_form": DismissForm(),
            }  # fmt: skip
        return render_page(request, "admin/thanks/thank_you.html", row.title, context)


def member_pk(request: HttpRequest) -> int | None:
    """The place of whoever is asking."""
    member = getattr(request, "member", None)
    return member.pk if member else None


def last_gift(giving: Giving | None) -> str:
    """“$50.00 on May 1, 2026”."""
    if giving is None or giving.last_on is None:
        return ""
    return f"{money(giving.last_amount)} on {date_format(giving.last_on, 'M j, Y')}"
