"""Bulk actions on contacts. Each first shows a page with the count and what it means; a second POST does it: at once
for a few hundred, by the worker for more."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from contacts import bulk, jobs
from contacts.admin.bulk_forms import ListTarget, NewTagTarget, TagTarget
from contacts.bulk import people
from contacts.holds import held
from contacts.models import Contact
from contacts.models.recorded import chunks
from contacts.tenancy.views import render_page

__all__ = ["BulkActions", "people"]

Rows = QuerySet[Contact]


class BulkActions:
    """Mixed into the admin of contacts; every change goes through one service, never row by row."""

    actions = [
        "add_to_list", "take_off_list", "add_tag", "take_off_tag", "set_do_not_contact", "clear_do_not_contact",
        "export_contacts", "delete_contacts",
    ]  # fmt: skip

    def _act(
        self, request: HttpRequest, rows: Rows, button: str, sentences: list[str], form_class: Any = None, **more: Any
    ) -> HttpResponse | None:
        """Ask until it has been confirmed, then do it."""
        form = form_class(request.POST if request.POST.get("confirmed") else None) if form_class else None
        if not request.POST.get("confirmed") or (form and not form.is_valid()):
            return self._ask(request, rows, button, sentences, form, **more)
        verb, target = bulk.VERBS[request.POST["action"]], form.target() if form else None
        rows, meanwhile = self._still_meant(request, rows)
        if meanwhile:
            messages.warning(request, f"Marked Do Not Contact while you had the page open, and left so: {meanwhile:,}.")
        if (count := rows.count()) > bulk.AT_ONCE:
            change, is_new = bulk.begin(request.POST["action"], rows, request.user, once(request), target)
            if is_new:
                jobs.soon("carry_on_bulk_change", change.pk)
            return redirect("admin:contacts_bulkchange_change", change.pk)
        changed = verb.run(rows, target)
        messages.success(request, f"{verb.done.format(people(changed), target)}. {verb.of_others(count - changed)}")
        return None

    def _still_meant(self, request: HttpRequest, rows: Rows) -> tuple[Rows, int]:
        """(those whom the page had meant when it was shown, how many are not any more)."""
        asked_at = moment(request.POST.get("asked_at", ""))
        if asked_at is None:
            return rows, 0
        still = bulk.still_meant(request.POST["action"], rows, asked_at)
        return still, 0 if still is rows else rows.count() - still.count()

    def _ask(
        self, request: HttpRequest, rows: Rows, button: str, sentences: list[str], form: Any, **more: Any
    ) -> HttpResponse:
        """The page in between."""
        everywhere = request.POST.get("select_across") == "1"
        context = {
            "action": request.POST["action"],
            "select_across": "1" if everywhere else "0",
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME)[: 1 if everywhere else None],
            "checkbox": ACTION_CHECKBOX_NAME,
            "once": once(request),
            "asked_at": (moment(request.POST.get("asked_at", "")) or timezone.now()).isoformat(),
            "button": button,
            "sentences": sentences,
            "by_worker": rows.count() > bulk.AT_ONCE,
            "form": form,
            "examples": [str(row) for row in rows[:5]],
            "back": request.get_full_path(),
        } | more
        return render_page(request, "admin/contacts/bulk.html", button, context)

    @admin.action(description="Add to a list", permissions=["change"])
    def add_to_list(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """Those already on it stay as they are."""
        sentence = f"{people(queryset.count())} will be put on the list. Those on it already stay as they are."
        return self._act(request, queryset, "Add to list", [sentence], ListTarget)

    @admin.action(description="Take off a list", permissions=["change"])
    def take_off_list(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """Those not on it stay as they are."""
        sentence = f"{people(queryset.count())} will be taken off the list, if they are on it."
        return self._act(request, queryset, "Take off list", [sentence], ListTarget)

    @admin.action(description="Add a tag", permissions=["change"])
    def add_tag(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """Those who have it already stay as they are."""
        sentence = f"{people(queryset.count())} will get the tag. Those who have it already stay as they are."
        return self._act(request, queryset, "Add tag", [sentence], NewTagTarget)

    @admin.action(description="Take off a tag", permissions=["change"])
    def take_off_tag(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """Those without it stay as they are."""
        sentence = f"{people(queryset.count())} will lose the tag, if they have it. The tag itself stays."
        return self._act(request, queryset, "Take off tag", [sentence], TagTarget)

    @admin.action(description="Set Do Not Contact", permissions=["change"])
    def set_do_not_contact(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """For everywhere."""
        new, count = queryset.filter(do_not_contact=False).count(), queryset.count()
        sentences = [
            f"{people(new)} will be marked Do Not Contact."
            + (f" Marked already: {count - new:,}." if count > new else ""),
            "Nobody marked so gets any message from us: they leave every newsletter that is kept in step with a list, "
            "within a few minutes. They stay on the lists here, and the consent ledger notes who decided.",
        ]
        return self._act(request, queryset, "Set Do Not Contact", sentences)

    @admin.action(description="Clear Do Not Contact", permissions=["change"])
    def clear_do_not_contact(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """The reverse; a person's own opt-out stays."""
        new = queryset.filter(do_not_contact=True).count()
        sentences = [
            f"Do Not Contact will be cleared for {people(new)}; the others are not marked.",
            "Clear it only for people who have asked to hear from you again. It undoes no unsubscribe: somebody who "
            "unsubscribed at the newsletter service is back only after confirming a message from there.",
        ]
        return self._act(request, queryset, "Clear Do Not Contact", sentences)

    @admin.action(description="Delete", permissions=["delete"])
    def delete_contacts(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """With all that hangs on them."""
        sentences = [
            f"{people(queryset.count())} will be deleted, with addresses, phone numbers, tags and places on lists.",
            "They leave every newsletter that is kept in step. This cannot be undone. The history and the consent "
            "ledger keep what happened.",
        ]
        if stay := self._staying(queryset):
            sentences.insert(0, stay)
        return self._act(request, queryset, "Delete contacts", sentences, danger=True)

    def _staying(self, queryset: Rows) -> str:
        """Who cannot be deleted, with what they have here."""
        pks = list(queryset.order_by().values_list("pk", flat=True))
        found = {pk: words for part in chunks(pks) for pk, words in held(part).items()}
        if not found:
            return ""
        names = [f"{row} ({found[row.pk]})" for row in Contact.objects.filter(pk__in=list(found)[:3])]
        others = len(found) - len(names)
        more = f" and {others:,} more" if others else ""
        return f"{people(len(found))} will stay, because what they gave needs its donor: {', '.join(names)}{more}."


def once(request: HttpRequest) -> uuid.UUID:
    """The mark of this form: sent twice, it is carried out once."""
    try:
        return uuid.UUID(request.POST.get("once", ""))
    except ValueError:
        return uuid.uuid4()


def moment(text: str) -> datetime | None:
    """A time as a form of ours sends it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
