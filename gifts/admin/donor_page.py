"""The page of one donor: totals, the club and its history, and what staff and programs have noted (A10, A11, A13)."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.formats import date_format
from unfold.widgets import UnfoldAdminSelectWidget

from contacts.admin.history import local
from contacts.tenancy.admin import TenantAdmin
from contacts.tenancy.changelist import is_number
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.together import SeenForm
from gifts import donors
from gifts.donors import DonorRefused
from gifts.models import Donor, DonorClub, DonorClubSpell, Giving
from gifts.money import money

AREA = "gifts"
PER_PAGE = 25


class NotedForm(SeenForm):
    """What is noted of a donor; totals and clubs are not typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        helps = {
            "is_locked": "Programs may read this donor through the donors API, and change nothing of it there. Gifts "
                         "count as before, and staff may change everything here.",
            "external_id": "What another system calls them. No two donors have the same.",
        }  # fmt: skip
        for name in helps.keys() & self.fields.keys():
            self.fields[name].help_text = helps[name]

    def clean_external_id(self) -> str:
        text: str = self.cleaned_data["external_id"].strip()
        return text


class ClubChoice(forms.Form):
    """The club to keep a donor in."""

    club: Any = forms.ModelChoiceField(queryset=None, required=False, empty_label="No club", label="Donor club",
                                       widget=UnfoldAdminSelectWidget)  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_place_%s", **kwargs})
        self.fields["club"].queryset = DonorClub.objects.all()  # type: ignore[attr-defined]


@admin.register(Donor)
class OneDonorAdmin(TenantAdmin):
    """One donor. All of them are on the page of donors; they are made by gifts, pledges and programs."""

    area = AREA
    form = NotedForm
    change_form_outer_before_template = "admin/gifts/donor/before.html"
    change_form_outer_after_template = "admin/gifts/donor/after.html"
    fieldsets = [("What is noted", {"fields": ["anonymous", "notes", "is_locked", "external_id"]})]
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:  # type: ignore[override]
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        require(request, SEE, self.area)
        return redirect("admin:gifts_giving_changelist")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("contact", "club")

    def get_urls(self) -> list[Any]:
        ours = path("<int:object_id>/club/", self.admin_site.admin_view(place), name="gifts_donor_club")
        return [ours, *super().get_urls()]

    @transaction.atomic
    def _saved(self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: Any) -> HttpResponse:
        """Locked in the order in which programs lock, so that neither waits for the other."""
        if object_id and is_number(object_id):
            donors.locked(list(Donor.objects.filter(pk=object_id).values_list("uid", flat=True)))
        return super()._saved(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Donor, form: Any, change: bool) -> None:
        """With a version more, as programs expect it of every change."""
        self._place(request, obj)
        if form.has_changed():
            donors.save_by_staff(obj)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        donor = kwargs.get("obj")
        if donor and donor.pk:
            context |= shown(request, donor) | {"show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Not there for others; for ourselves a sentence."""
        require(request, SEE, self.area)
        if self.get_object(request, object_id) is None:
            raise Http404
        raise PermissionDenied("A donor goes with the contact, or when a program deletes one who has given nothing.")

    def response_post_save_change(self, request: HttpRequest, obj: Donor) -> HttpResponse:
        return redirect("admin:gifts_donor_change", obj.pk)


def shown(request: HttpRequest, donor: Donor) -> dict[str, Any]:
    """Beside the form; five queries, however many gifts and clubs there were."""
    giving = Giving.objects.filter(contact=donor.contact_id).first() or Giving()
    may = is_allowed(request, CHANGE, AREA)
    spells = DonorClubSpell.objects.filter(donor_uid=donor.uid).select_related("club").order_by("-start_on", "-pk")
    page = Paginator(spells, PER_PAGE).get_page(request.GET.get("p"))
    current = spells.filter(end_on=None).first()
    gifts = reverse("admin:gifts_gift_changelist")
    return {
        "donor": donor, "contact": donor.contact, "subtitle": donor.contact.called,
        "tiles": tiles(giving), "gifts": f"{gifts}?donor={donor.contact_id}",
        "since": current.start_on if current else None, "may_act": may, "page": page,
        "club_form": ClubChoice(initial={"club": donor.club_id}) if may else None, "facts": facts(donor),
    }  # fmt: skip


def tiles(giving: Giving) -> list[tuple[str, str]]:
    """(figure, words): the totals that programs are shown as well."""
    last = f"last gift, {date_format(giving.last_on, 'M j, Y')}" if giving.last_on else "last gift"
    number = f"in {giving.number:,} {'gift' if giving.number == 1 else 'gifts'}"
    return [
        (money(giving.total), number), (money(giving.last_amount), last), (money(giving.largest), "largest gift"),
        (money(giving.pledged), "still to come of pledges"),
    ]  # fmt: skip


def facts(donor: Donor) -> list[tuple[str, Any]]:
    """For whoever looks after a program that reads or writes donors."""
    return [
        ("Id", donor.uid),
        ("Version", donor.version),
        ("Noted as a donor", f"{local(donor.created_at)}{by(donor.created_by)}"),
        ("Last changed", f"{local(donor.updated_at)}{by(donor.updated_by)}"),
        *([("Last to try to delete it", donor.deleted_by)] if donor.deleted_by else []),
    ]


def by(name: str) -> str:
    """“, by Ana Ruiz”."""
    return f", by {name}" if name else ""


def place(request: HttpRequest, object_id: int) -> HttpResponse:
    """Keep a donor in a club, or leave it to what they give again. A POST."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require(request, CHANGE, AREA)
    donor = get_object_or_404(Donor.objects.select_related("contact", "club"), pk=object_id)
    form = ClubChoice(request.POST)
    is_by_hand = request.POST.get("verb") != "automatic"
    if is_by_hand and not form.is_valid():
        messages.error(request, "Nothing was changed. That club is not here any more; choose another one.")
    elif is_by_hand and donor.club_is_by_hand and donor.club == form.cleaned_data["club"]:
        messages.info(request, f"{donor} is kept {where(donor)} already.")
    else:
        try:
            now = donors.place_by_hand(donor, form.cleaned_data["club"] if is_by_hand else None, is_by_hand)
        except DonorRefused as why:
            messages.error(request, str(why))
            return redirect("admin:gifts_giving_changelist")
        kept, left = (
            f"is kept {where(now)} now, whatever they give.",
            f"is placed by what they give again: {where(now)}.",
        )
        messages.success(request, f"{donor} {kept if is_by_hand else left}")
    return redirect("admin:gifts_donor_change", donor.pk)


def where(donor: Donor) -> str:
    """“in Gold”."""
    return f"in “{donor.club}”" if donor.club else "in no club"
