"""The filters of the page of donors that ask what is noted of them: club, anonymity, and whether they gave at all."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from contacts.tenancy.changelist import is_number
from gifts.models import DonorClub

GAVE = Q(number__gt=0) | ~Q(total=0)
NO_CLUB, BY_HAND = "none", "hand"


class ClubFilter(DropdownFilter):
    """One of the organization's clubs."""

    title, parameter_name = "donor club", "club"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        clubs = [(str(pk), name) for pk, name in DonorClub.objects.values_list("pk", "name")]
        return [*clubs, (NO_CLUB, "In no club"), (BY_HAND, "Placed by hand")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (chosen := self.value()):
            return queryset
        if chosen == NO_CLUB:
            return queryset.filter(contact__donor__isnull=False, contact__donor__club=None)
        if chosen == BY_HAND:
            return queryset.filter(contact__donor__club_is_by_hand=True)
        return queryset.filter(contact__donor__club=chosen) if is_number(chosen) else queryset.none()


class NotedFilter(DropdownFilter):
    """Who is shown. Usually those who have given; with a club, everybody who is in it."""

    title, parameter_name = "who", "noted"
    choices_of = {
        "anonymous": ("Want to stay anonymous", Q(contact__donor__anonymous=True)),
        "locked": ("Locked for programs", Q(contact__donor__is_locked=True)),
        "nothing": ("Noted as donors, without gifts that count", Q(contact__donor__isnull=False) & ~GAVE),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, words) for key, (words, _) in self.choices_of.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if (chosen := self.value()) in self.choices_of:
            return queryset.filter(self.choices_of[chosen][1])
        club = request.GET.get("club", "")
        return queryset if is_number(club) or club == BY_HAND else queryset.filter(GAVE)
