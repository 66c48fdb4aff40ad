"""The filters of the queue: whose, which day, which state."""

from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, QueryDict
from unfold.contrib.filters.admin import DropdownFilter

from gifts.admin.filters import Between
from gifts.services import today
from tasks_app.models import ThankYou

OPEN = ThankYou.State.OPEN
EVERYTHING = "everything"


def awake() -> Q:
    """Open, and not put off."""
    return Q(state=OPEN) & (Q(snoozed_until=None) | Q(snoozed_until__lte=today()))


def parts(member: Any) -> dict[str, tuple[str, Q]]:
    """{value: (words, which)} of the queue's parts, in the order of their tabs; "" is what one sees first."""
    day = today()
    return {
        "": ("To do", awake()),
        "mine": ("Mine", awake() & Q(assignee=member)),
        "team": ("The team’s", awake() & Q(assignee=None)),
        "due": ("Due today", awake() & Q(due_on__lte=day)),
        "overdue": ("Overdue", awake() & Q(due_on__lt=day)),
        "snoozed": ("Put off", Q(state=OPEN, snoozed_until__gt=day)),
        "judge": ("To look at", ~Q(to_judge="")),
        EVERYTHING: ("Everything", Q()),
    }


class WhoseFilter(DropdownFilter):
    """A part of the queue. Whoever asks for nothing sees what is to do; whoever asks for a state or a donor sees all
    of that."""

    title, parameter_name = "part", "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, words) for value, (words, _) in parts(None).items() if value]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value() or ""
        if not chosen and (request.GET.get("state") or request.GET.get("donor")):
            chosen = EVERYTHING
        known = parts(getattr(request, "member", None))
        return queryset.filter(known.get(chosen, known[""])[1])


class StateFilter(DropdownFilter):
    """What became of it."""

    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(words)) for value, words in ThankYou.State.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() in ThankYou.State.values else queryset


class DueBetween(Between):
    title, parameter_name, column, box_type = "due", "due", "due_on", "date"
    parse = staticmethod(date.fromisoformat)


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """The parts with how many are in each; one query over what is open. “Everything” is not counted."""
    known = parts(getattr(request, "member", None))
    counted = {f"n{i}": Count("pk", filter=which) for i, (value, (_, which)) in enumerate(known.items())
               if value not in (EVERYTHING, "judge")}  # fmt: skip
    numbers = ThankYou.objects.open().aggregate(**counted)
    numbers[f"n{list(known).index('judge')}"] = ThankYou.objects.filter(known["judge"][1]).count()
    here, found = request.GET.get("whose", ""), []
    for i, (value, (words, _)) in enumerate(known.items()):
        query = QueryDict(mutable=True)
        if value:
            query["whose"] = value
        if text := request.GET.get("q"):
            query["q"] = text
        found.append({
            "words": words, "count": numbers.get(f"n{i}"), "link": f"?{query.urlencode()}", "here": here == value,
            "hide": value in ("judge", "snoozed") and not numbers.get(f"n{i}") and here != value,
        })  # fmt: skip
    return [tab for tab in found if not tab["hide"]]
