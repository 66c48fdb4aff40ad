"""The page of possible duplicates: pairs with their reason, to compare, to merge, or to say that they are two."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import path
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber as PhoneNumberObject

from contacts import jobs
from contacts.admin import merging
from contacts.duplicates import search
from contacts.duplicates.find import MOST
from contacts.models import Contact, DuplicatePair, DuplicateSearch, EmailAddress, Merge, PhoneNumber
from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import go_back, render_page

AREA = "contacts"
PER_PAGE = 25
ON_CARD = 3  # pairs named on a contact's page
SURE = [(80, "Very likely", "al-warn"), (55, "Likely", ""), (0, "Perhaps", "")]
WORDS = {"email": "Same email address", "phone": "Same phone number", "name": "Similar name at the same address"}


def sureness(score: int) -> tuple[str, str]:
    """(word, look of its badge)."""
    return next((word, look) for least, word, look in SURE if score >= least)


def in_words(reason: str, what: str) -> str:
    """“Same email address: ana@river.org”."""
    if reason == "phone" and (number := PhoneNumberObject.from_string(what)).is_valid():
        what = number.as_international
    return f"{WORDS.get(reason, reason)}: {what.replace('|', ', ').title() if reason == 'name' else what}"


def shown(pairs: Any) -> list[dict[str, Any]]:
    """What a table of pairs shows."""
    return [
        {
            "pair": pair,
            "both": [pair.first, pair.second],
            "reasons": [in_words(*reason) for reason in pair.reasons],
            "sureness": sureness(pair.score),
        }
        for pair in pairs
    ]


def with_names(pairs: Any) -> Any:
    """The pairs with all that a table shows of both, in five queries."""
    mail, phone = EmailAddress.objects.filter(is_primary=True), PhoneNumber.objects.all()
    return pairs.select_related("first", "second").prefetch_related(
        *(Prefetch(f"{side}__email_addresses", mail) for side in ("first", "second")),
        *(Prefetch(f"{side}__phone_numbers", phone) for side in ("first", "second")),
    )


@admin.register(DuplicatePair)
class DuplicatePairAdmin(ReadOnlyTenantAdmin):
    """Pairs that may be one person."""

    area = AREA

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("look/", view(self.look), name="contacts_duplicatepair_look"),
            path("compare/", view(merging.compare), name="contacts_duplicatepair_compare"),
            path("<path:object_id>/two/", view(self.two), name="contacts_duplicatepair_two"),
            path("<path:object_id>/again/", view(self.again), name="contacts_duplicatepair_again"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The pairs, the surest first."""
        require(request, SEE, AREA)
        is_dismissed = request.GET.get("show") == "two"
        pairs = with_names(self.get_queryset(request).filter(dismissed_at__isnull=not is_dismissed))
        page = Paginator(pairs.order_by("-score", "pk"), PER_PAGE).get_page(request.GET.get("p"))
        last = DuplicateSearch.objects.first()
        context = {
            "page": page,
            "rows": shown(page),
            "is_dismissed": is_dismissed,
            "is_looking": bool(last and last.phase),
            "looked_at": last.finished_at if last else None,
            "too_many": [in_words(reason, what) + f" ({count:,} contacts)" for reason, what, count in last.too_many]
            if last and isinstance(last.too_many, list) else [],
            "too_many_count": last.too_many_count if last else 0,
            "most": MOST,
            "may_change": is_allowed(request, CHANGE, AREA),
            "has_merges": Merge.objects.exists(),
            "here": request.get_full_path(),
        }  # fmt: skip
        return render_page(request, "admin/contacts/duplicates/pairs.html", "Possible duplicates", context)

    def look(self, request: HttpRequest) -> HttpResponse:
        """Look through all contacts now."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        require(request, CHANGE, AREA)
        if search.start():
            jobs.soon("search_duplicates", request.tenant.pk)  # type: ignore[attr-defined]
            messages.success(request, "All contacts are being compared now. Come back to this page in a minute.")
        else:
            messages.info(request, "All contacts are being compared already. Come back to this page in a minute.")
        return redirect("admin:contacts_duplicatepair_changelist")

    def two(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """These are two people: not suggested again, unless something else becomes the same."""
        return self._say(request, object_id, timezone.now(), "{} and {} stay two contacts. They are suggested again "
                         "only if something else becomes the same.")  # fmt: skip

    def again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Suggest them again."""
        return self._say(request, object_id, None, "{} and {} are among the possible duplicates again.")

    def _say(self, request: HttpRequest, object_id: str, at: Any, sentence: str) -> HttpResponse:
        pair = self._found(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        require(request, CHANGE, AREA)
        who: Any = request.user
        pair.dismissed_at, pair.dismissed_by = at, who if at else None
        pair.save()
        messages.success(request, sentence.format(pair.first, pair.second))
        list_page = redirect("admin:contacts_duplicatepair_changelist")
        return go_back(request, request.POST.get("next", ""), list_page["Location"])

    def _found(self, request: HttpRequest, object_id: str | None) -> DuplicatePair:
        pair = self.get_object(request, object_id) if object_id else None
        if pair is None:
            raise Http404("There is no such pair here.")
        return pair

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A pair's page is the comparison."""
        require(request, SEE, AREA)
        if not object_id:
            self._refuse(request, object_id)
        pair = self._found(request, object_id)
        if request.method != "GET":
            raise PermissionDenied("A pair is not edited: compare the two, or say that they are two people.")
        return redirect(merging.address(pair.first_id, pair.second_id))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        require(request, SEE, AREA)
        self._found(request, object_id)
        raise PermissionDenied("A pair is not deleted: say that they are two people.")


def badge(request: HttpRequest) -> str:
    """How many pairs wait."""
    count = DuplicatePair.objects.filter(dismissed_at=None)[:1000].count()
    return "999+" if count > 999 else str(count or "")


def card(request: HttpRequest, contact: Contact) -> str:
    """On a contact's page: whom they look like, and who was merged into them."""
    pairs = DuplicatePair.objects.filter(Q(first=contact) | Q(second=contact), dismissed_at=None)
    found = shown(with_names(pairs.order_by("-score", "pk"))[:ON_CARD])
    for row in found:
        pair = row["pair"]
        row["other"] = pair.second if pair.first_id == contact.pk else pair.first
    merges = merging.merges_into(contact)
    if not found and not merges:
        return ""
    context = {
        "contact": contact, "rows": found, "merges": merges,
        "may_change": is_allowed(request, CHANGE, AREA), "here": request.get_full_path(),
    }  # fmt: skip
    return render_to_string("admin/contacts/duplicates/card.html", context, request)
