"""The pages of donor clubs: levels of giving, how many donors are in each, and how far a change has come (A13)."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from unfold.decorators import display

from contacts.tenancy.admin import TenantAdmin
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from gifts import placing
from gifts.admin.club_form import ClubForm, condition
from gifts.models import Donor, DonorClub, RuleRun
from gifts.money import money
from gifts.placing import ClubRefused
from gifts.running import State

AREA = "gifts"
LIST = "admin:gifts_donorclub_changelist"


@admin.register(DonorClub)
class DonorClubAdmin(TenantAdmin):
    """All of them, the highest first."""

    area = AREA
    form = ClubForm
    list_display = ["called", "least", "counted", "fills", "donors"]
    list_display_links = ["called"]
    search_fields = ["name"]
    search_help_text = "Name of the club"
    ordering = ["-minimum", "name", "pk"]
    actions = None
    list_before_template = "admin/gifts/clubs/before.html"
    change_form_outer_before_template = "admin/gifts/clubs/club.html"
    empty_sentence = (
        "A club is a level of giving with a name, such as “Friends of the river” from $100 a year. Donors join and "
        "leave by what they give, or you place them by hand; each donor's page keeps who was in which club when."
    )
    fieldsets = [(None, {"fields": ["name", ("minimum", "basis"), "is_automatic"]})]

    # --- all clubs ---

    def listed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """With how many donors are in each; counted for the rows of one page."""
        here = Donor.objects.filter(club=OuterRef("pk")).order_by().values("club")
        return rows.annotate(number=Coalesce(Subquery(here.annotate(of=Count("pk")).values("of")), 0))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**how_far(request), **(extra_context or {})})

    @display(description="Club", ordering="name")
    def called(self, row: DonorClub) -> str:
        return row.name

    @display(description="Minimum", ordering="minimum")
    def least(self, row: DonorClub) -> str:
        return format_html('<span class="gf-amount">{}</span>', money(row.minimum)) if row.is_automatic else ""

    @display(description="What is counted", ordering="basis")
    def counted(self, row: DonorClub) -> str:
        return row.get_basis_display() if row.is_automatic else ""

    @display(description="Fills by itself", ordering="is_automatic")
    def fills(self, row: DonorClub) -> str:
        look, words = ("good", "Yes") if row.is_automatic else ("none", "No, by hand")
        return format_html('<span class="al-badge al-{}">{}</span>', look, words)

    @display(description="Donors", ordering="number")
    def donors(self, row: Any) -> str:
        return donors_of(row, row.number)

    # --- one club ---

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("progress/", wrap(progress), name="gifts_donorclub_progress"),
            path("again/", wrap(again), name="gifts_donorclub_again"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        club = kwargs.get("obj")
        if club and club.pk:
            number = Donor.objects.filter(club=club).count()
            by_hand = Donor.objects.filter(club=club, club_is_by_hand=True).count()
            context |= {"club": club, "number": number, "by_hand": by_hand, "link": link_of(club),
                        "condition": condition(club), **how_far(request)}  # fmt: skip
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: DonorClub, form: Any, change: bool) -> None:
        moves = form.moves_donors()
        super().save_model(request, obj, form, change)
        if moves:
            request.placing = placing.begin().pk  # type: ignore[attr-defined]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Once a change is saved, donors are placed anew: at once if they are few, otherwise in the background."""
        answer = super().changeform_view(request, *args, **kwargs)
        if (pk := getattr(request, "placing", None)) and (run := placing.begin_at_once(pk)):
            tell(request, run)
        return answer

    def response_post_save_change(self, request: HttpRequest, obj: DonorClub) -> HttpResponse:
        return redirect(LIST)

    # --- deleting ---

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A club that somebody is or was in stays, with the reason."""
        reasons = [why for one in objs if (why := placing.why_not_delete(one))]
        return ["Nobody is in it, and nobody ever was."], {"clubs": len(objs)}, set(), reasons

    def delete_model(self, request: HttpRequest, obj: DonorClub) -> None:
        placing.delete(obj)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except ClubRefused as why:  # somebody joined it, or deleted it, in this moment
            messages.error(request, str(why))
            return redirect(LIST)


def link_of(club: DonorClub) -> str:
    """The donors who are in it."""
    return f"{reverse('admin:gifts_giving_changelist')}?club={club.pk}"


def donors_of(club: DonorClub, number: int) -> str:
    """“12 donors”, as a link to them."""
    words = "1 donor" if number == 1 else f"{number:,} donors"
    return format_html('<a class="al-link al-nowrap" href="{}">{}</a>', link_of(club), words) if number else "nobody"


# --- placing everybody anew ---


def how_far(request: HttpRequest) -> dict[str, Any]:
    """For the page: the run that is on, or that stopped."""
    run = placing.last_run()
    percent = min(100, run.donors_done * 100 // run.donors) if run and run.donors else 0
    return {
        "run": run, "percent": percent, "is_working": run is not None and run.state == State.WORKING,
        "may_act": is_allowed(request, CHANGE, AREA),
    }  # fmt: skip


@never_cache
def progress(request: HttpRequest) -> HttpResponse:
    """What the page asks for every second; once it is over, the page loads anew."""
    require(request, SEE, AREA)
    shown = how_far(request)
    if not shown["is_working"]:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "admin/gifts/clubs/progress.html", shown)


def again(request: HttpRequest) -> HttpResponse:
    """After it has stopped: from the beginning."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require(request, CHANGE, AREA)
    if run := placing.begin_at_once(placing.begin_anew()):
        tell(request, run)
    return redirect(LIST)


def tell(request: HttpRequest, run: RuleRun) -> None:
    """What came of it so far."""
    if run.state == State.WORKING:
        messages.info(request, "Donors are being placed in their clubs now. It goes on if you leave this page.")
    elif run.state == State.DONE:
        moved = "Nobody had to change clubs." if not run.noted else (
            "1 donor changed clubs." if run.noted == 1 else f"{run.noted:,} donors changed clubs.")  # fmt: skip
        messages.success(request, moved)
