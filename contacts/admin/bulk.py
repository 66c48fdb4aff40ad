"""Bulk actions on contacts. Each first shows a page with the count and what it means; a second POST does it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse

from contacts import services
from contacts.forms import ChooseListForm
from contacts.models import Contact
from contacts.tenancy.views import render_page

Rows = QuerySet[Contact]


def people(count: int) -> str:
    """“1 contact”, “2,500 contacts”."""
    return f"{count:,} contact{'' if count == 1 else 's'}"


class BulkActions:
    """Mixed into the admin of contacts; every change goes through one service, never row by row."""

    actions = ["add_to_list", "take_off_list", "set_do_not_contact", "clear_do_not_contact", "export_contacts",
               "delete_contacts"]  # fmt: skip

    def _ask(
        self, request: HttpRequest, rows: Rows, button: str, sentences: list[str], form: Form | None = None, **more: Any
    ) -> HttpResponse | None:
        """The page in between, until it has been confirmed."""
        if request.POST.get("confirmed") and (form is None or form.is_valid()):
            return None
        everywhere = request.POST.get("select_across") == "1"
        context = {
            "action": request.POST["action"],
            "select_across": "1" if everywhere else "0",
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME)[: 1 if everywhere else None],
            "checkbox": ACTION_CHECKBOX_NAME,
            "button": button,
            "sentences": sentences,
            "form": form,
            "examples": [str(row) for row in rows[:5]],
            "back": request.get_full_path(),
        } | more
        return render_page(request, "admin/contacts/bulk.html", button, context)

    def _about_a_list(
        self, request: HttpRequest, rows: Rows, button: str, sentence: str, do: Callable[..., int], done: str
    ) -> HttpResponse | None:
        form = ChooseListForm(request.POST if request.POST.get("confirmed") else None)
        count = rows.count()
        answer = self._ask(request, rows, button, [sentence.format(people(count))], form)
        if answer is None:
            contact_list = form.cleaned_data["contact_list"]
            messages.success(request, done.format(people(do(contact_list, rows)), contact_list, people(count)))
        return answer

    @admin.action(description="Add to a list or committee", permissions=["change"])
    def add_to_list(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """Those already on it stay as they are."""
        return self._about_a_list(
            request, queryset, "Add to list", "{} will be put on the list. Those on it already stay as they are.",
            services.add_to_list, "{} added to “{}” ({} chosen).",
        )  # fmt: skip

    @admin.action(description="Take off a list or committee", permissions=["change"])
    def take_off_list(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """Those not on it stay as they are."""
        return self._about_a_list(
            request, queryset, "Take off list", "{} will be taken off the list, if they are on it.",
            services.take_off_list, "{} taken off “{}” ({} chosen).",
        )  # fmt: skip

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
        answer = self._ask(request, queryset, "Set Do Not Contact", sentences)
        if answer is None:
            count = services.set_do_not_contact(queryset, True)
            messages.success(request, f"{people(count)} marked Do Not Contact.")
        return answer

    @admin.action(description="Clear Do Not Contact", permissions=["change"])
    def clear_do_not_contact(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """The reverse; a person's own opt-out stays."""
        new = queryset.filter(do_not_contact=True).count()
        sentences = [
            f"Do Not Contact will be cleared for {people(new)}; the others are not marked.",
            "Clear it only for people who have asked to hear from you again. It undoes no unsubscribe: somebody who "
            "unsubscribed at the newsletter service is back only after confirming a message from there.",
        ]
        answer = self._ask(request, queryset, "Clear Do Not Contact", sentences)
        if answer is None:
            count = services.set_do_not_contact(queryset, False)
            messages.success(request, f"Do Not Contact cleared for {people(count)}.")
        return answer

    @admin.action(description="Delete", permissions=["delete"])
    def delete_contacts(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        """With all that hangs on them."""
        sentences = [
            f"{people(queryset.count())} will be deleted, with addresses, phone numbers, tags and places on lists.",
            "They leave every newsletter that is kept in step. This cannot be undone. The history and the consent "
            "ledger keep what happened.",
        ]
        answer = self._ask(request, queryset, "Delete contacts", sentences, danger=True)
        if answer is None:
            messages.success(request, f"{people(services.delete_contacts(queryset))} deleted.")
        return answer
