"""What can be done with many thank-yous at once: take them, hand them over, dismiss them. It is asked first."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from contacts.tenancy.views import render_page
from tasks_app import services
from tasks_app.admin.forms import DismissForm, HandOverForm
from tasks_app.models import ThankYou

MOST = 2_000  # at once; each leaves its line in the history
Rows = QuerySet[ThankYou]


def counted(number: int) -> str:
    """“3 thank-yous”."""
    return f"{number:,} thank-you{'' if number == 1 else 's'}"


class BulkActions:
    """Mixed into the admin of thank-yous."""

    @admin.action(description="Take these: I do them", permissions=["thank"])
    def take_these(self, request: HttpRequest, rows: Rows) -> None:
        """Mine."""
        if (pks := self._few_enough(request, rows)) is not None:
            done = services.assign_many(pks, request.member)  # type: ignore[attr-defined]
            self._say(request, done, len(pks), "yours now")

    @admin.action(description="Hand these over …", permissions=["thank"])
    def hand_these_over(self, request: HttpRequest, rows: Rows) -> HttpResponse | None:
        """To somebody, or to the team."""
        if (pks := self._few_enough(request, rows)) is None:
            return None
        form = HandOverForm(request.POST if request.POST.get("confirmed") else None)
        if not form.is_valid():
            return self._ask(request, pks, form, "hand_these_over", "Hand over")
        member = form.cleaned_data["member"]
        done = services.assign_many(pks, member)
        self._say(request, done, len(pks), f"with {member.user if member else 'the whole team'} now")
        return None

    @admin.action(description="Dismiss these …", permissions=["thank"])
    def dismiss_these(self, request: HttpRequest, rows: Rows) -> HttpResponse | None:
        """With a reason."""
        if (pks := self._few_enough(request, rows)) is None:
            return None
        form = DismissForm(request.POST if request.POST.get("confirmed") else None)
        if not form.is_valid():
            return self._ask(request, pks, form, "dismiss_these", "Dismiss")
        done = services.dismiss_many(pks, form.sentence())
        self._say(request, done, len(pks), "dismissed")
        return None

    def _few_enough(self, request: HttpRequest, rows: Rows) -> list[int] | None:
        """Their numbers, or nothing with a sentence."""
        pks = list(rows.order_by().values_list("pk", flat=True)[: MOST + 1])
        if len(pks) > MOST:
            messages.error(request, f"Choose at most {MOST:,} at once. Nothing was changed.")
            return None
        return pks

    def _say(self, request: HttpRequest, done: int, of: int, words: str) -> None:
        """What became of how many."""
        left = of - done
        rest = f" {left:,} {'was' if left == 1 else 'were'} not open any more, and left as it was." if left else ""
        messages.success(request, f"{counted(done)} {'is' if done == 1 else 'are'} {words}.{rest}")

    def _ask(self, request: HttpRequest, pks: list[int], form: Any, action: str, button: str) -> HttpResponse:
        """Which, how many, and what exactly."""
        named = ThankYou.objects.filter(pk__in=pks).select_related("contact").order_by("due_on", "pk")[:5]
        context = {
            "form": form, "button": f"{button} {counted(len(pks))}", "action": action, "selected": pks,
            "checkbox": ACTION_CHECKBOX_NAME, "select_across": "0", "back": request.get_full_path(),
            "sentences": [f"You have chosen {counted(len(pks))}."], "examples": [str(row.contact) for row in named],
        }  # fmt: skip
        return render_page(request, "admin/contacts/bulk.html", f"{button} {counted(len(pks))}", context)
