"""Two contacts side by side, what merging them will do, and the list of merges with their undoing."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.html import format_html

from contacts.duplicates import outlook
from contacts.duplicates.identities import merged_away
from contacts.duplicates.merge import KEEP, MergeRefused, merge
from contacts.duplicates.unmerge import plan, undo, why_not
from contacts.models import Contact, DuplicatePair, EmailAddress, ListMembership, Merge, PhoneNumber
from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.gone import nothing_saved
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import render_page

AREA = "contacts"
PER_PAGE = 25


def address(one: int, other: int | None = None) -> str:
    """The page that compares two contacts, or asks for the second."""
    page = reverse("admin:contacts_duplicatepair_compare") + f"?one={one}"
    return f"{page}&other={other}" if other else page


class ChooseForm(forms.Form):
    """Any two contacts."""

    one: Any = forms.ModelChoiceField(queryset=None, label="Contact")
    other: Any = forms.ModelChoiceField(queryset=None, label="is the same as")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            choice: Any = field
            choice.queryset = Contact.objects.all()
            choice.widget = AutocompleteSelect(ListMembership._meta.get_field("contact"), admin.site)
            choice.widget.choices = choice.choices

    def clean(self) -> dict[str, Any] | None:
        """Two, not one twice."""
        cleaned = super().clean() or {}
        if cleaned.get("one") and cleaned.get("one") == cleaned.get("other"):
            self.add_error("other", "That is the same contact. Choose another one.")
        return cleaned


def compare(request: HttpRequest) -> HttpResponse:
    """Choose two, look at them side by side, merge. Only the button Merge changes anything."""
    require(request, SEE if request.method == "GET" else CHANGE, AREA)
    data = request.POST if request.method == "POST" else request.GET
    asked = [data.get(name, "") for name in ("one", "other")]
    if gone := next((found for pk in asked if pk and (found := merged_away(pk))), None):
        return lead_on(request, *gone)
    for pk in filter(None, asked):
        get_object_or_404(Contact, pk=int(pk) if pk.isdecimal() and len(pk) < 18 else 0)
    form = ChooseForm(data if all(asked) else None, initial={"one": asked[0] or None})
    if not form.is_bound or not form.is_valid():
        title = "Merge two contacts"
        return render_page(request, "admin/contacts/duplicates/choose.html", title, {"form": form})
    one, other = form.cleaned_data["one"], form.cleaned_data["other"]
    kept, gone_one = (one, other) if "kept" in data else outlook.more_complete(one, other)
    if data.get("kept") == str(other.pk):
        kept, gone_one = other, one
    if request.method == "POST" and "swap" in data:
        kept, gone_one = gone_one, kept
    chosen = {} if "swap" in data else {key: str(value) for key, value in data.items()}
    choices, same = outlook.compared(kept, gone_one, chosen)
    if request.method == "POST" and "merge" in data:
        return _merge(request, kept, gone_one, choices)
    context = {
        "kept": kept, "gone": gone_one, "one": one, "other": other, "choices": choices, "same": same,
        "sentences": outlook.of_merge(kept, gone_one, choices), "may_change": is_allowed(request, CHANGE, AREA),
        "pair": DuplicatePair.objects.filter(
            first_id=min(one.pk, other.pk), second_id=max(one.pk, other.pk), dismissed_at=None
        ).first(),
    }  # fmt: skip
    return render_page(request, "admin/contacts/duplicates/compare.html", f"Merge {gone_one} into {kept}?", context)


def _merge(request: HttpRequest, kept: Contact, gone: Contact, choices: list[outlook.Choice]) -> HttpResponse:
    try:
        made = merge(kept, gone, outlook.as_merge_wants(kept, choices), request.user)
    except MergeRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("admin:contacts_duplicatepair_changelist")
    link = format_html('<a class="al-link" href="{}">Undo</a>', reverse("admin:contacts_merge_undo", args=[made.pk]))
    messages.success(request, format_html("{} was merged into {}. {}", made.gone_name, made.kept_name, link))
    return redirect("admin:contacts_contact_change", kept.pk)


def merges_into(contact: Contact) -> list[Merge]:
    """The merges into this contact that can be undone, the last first."""
    rows = Merge.objects.filter(kept_uid=contact.uid, undone_at=None).exclude(taken={}).defer("taken")
    return list(rows.select_related("user")[:3])


@admin.register(Merge)
class MergeAdmin(ReadOnlyTenantAdmin):
    """What was merged into what, and the way back."""

    area = AREA

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [path("<path:object_id>/undo/", view(self.undo), name="contacts_merge_undo"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The last merge first."""
        require(request, SEE, AREA)
        merges = self.get_queryset(request).defer("taken").select_related("user", "undone_by")
        page = Paginator(merges, PER_PAGE).get_page(request.GET.get("p"))
        here = dict(Contact.objects.filter(uid__in={m.kept_uid for m in page} | {m.gone_uid for m in page}).values_list(
            "uid", "pk"))  # fmt: skip
        with_rest = set(
            Merge.objects.filter(pk__in=[m.pk for m in page]).exclude(taken={}).values_list("pk", flat=True)
        )
        rows = [
            {"merge": m, "kept_pk": here.get(m.kept_uid), "gone_pk": here.get(m.gone_uid), "can": m.pk in with_rest}
            for m in page
        ]
        context = {"page": page, "rows": rows, "may_change": is_allowed(request, CHANGE, AREA), "days": KEEP.days}
        return render_page(request, "admin/contacts/duplicates/merges.html", "Merged contacts", context)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A merge's page is the preview of undoing it."""
        require(request, SEE, AREA)
        if not object_id or request.method != "GET":
            self._refuse(request, object_id)
        if self.get_object(request, object_id) is None:
            raise Http404
        return redirect("admin:contacts_merge_undo", object_id)

    def undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What undoing does; POST does it."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        require(request, SEE if request.method == "GET" else CHANGE, AREA)
        if request.method == "POST":
            return self._undo(request, row)
        context: dict[str, Any] = {"merge": row, "reason": why_not(row), "days": KEEP.days}
        if not context["reason"]:
            found = plan(row)
            context |= {"sentences": outlook.of_undoing(found), "stays": found.stays, "contact": found.contact}
        context["may_change"] = is_allowed(request, CHANGE, AREA)
        return render_page(request, "admin/contacts/duplicates/undo.html", f"Undo the merge of {row}", context)

    def _undo(self, request: HttpRequest, row: Merge) -> HttpResponse:
        try:
            back = undo(row, request.user)
        except MergeRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("admin:contacts_merge_changelist")
        messages.success(request, f"{row.gone_name} and {row.kept_name} are two contacts again.")
        return redirect("admin:contacts_contact_change", back.pk)


def lead_on(request: HttpRequest, row: Merge, kept: Contact | None) -> HttpResponse:
    """From the address of a contact that went to the one that it is part of now."""
    if kept is None:
        raise Http404(f"{row.gone_name} was merged into {row.kept_name}, who was deleted since.")
    messages.info(request, f"{row.gone_name} was merged into {kept}. This is the page of both now.")
    return redirect("admin:contacts_contact_change", kept.pk)


def typed_in_vain(request: HttpRequest, model_admin: Any, row: Merge, kept: Contact | None) -> HttpResponse:
    """The answer to a page of the contact that went, which was open while the two were merged."""
    who = row.user or "somebody who has left"
    sentence = f"{row.gone_name} was merged into {kept or row.kept_name} by {who} while you had the page open."
    link = (reverse("admin:contacts_contact_change", args=[kept.pk]), f"Page of {kept}") if kept else None
    return nothing_saved(request, model_admin, sentence, link)


class KnowsDuplicates:
    """Mixed into the admin of contacts: the action on two of them, pages of those who went, and a word to whoever
    adds somebody that is here already."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """One more, for those who may change contacts."""
        actions = super().get_actions(request)  # type: ignore[misc]
        if actions and is_allowed(request, CHANGE, AREA):
            actions["merge_two"] = (merge_two, "merge_two", "Compare and merge two")
        return actions

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        if found := merged_away(object_id):
            return typed_in_vain(request, self, *found) if request.method == "POST" else lead_on(request, *found)
        return super()._get_obj_does_not_exist_redirect(request, opts, object_id)  # type: ignore[misc]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        if not change:
            warn_if_known(request, form.instance)


def merge_two(model_admin: Any, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """Compare the two that were ticked."""
    pks = list(queryset.order_by("pk").values_list("pk", flat=True)[:3])
    if len(pks) != 2 or request.POST.get("select_across") == "1":
        messages.error(request, "Tick exactly two contacts to compare and merge them.")
        return None
    return redirect(address(*pks))


def warn_if_known(request: HttpRequest, contact: Contact) -> None:
    """Say so when somebody else here has the same address or number."""
    own_mail = contact.email_addresses.values_list("address_key", flat=True)
    own_phone = contact.phone_numbers.values_list("number", flat=True)
    for rows, words in (
        (EmailAddress.objects.filter(address_key__in=list(own_mail)), "email address"),
        (PhoneNumber.objects.filter(number__in=list(own_phone)), "phone number"),
    ):
        known = rows.exclude(contact=contact).select_related("contact").order_by("pk").first()
        if known is not None:
            page = address(known.contact_id, contact.pk)
            link = format_html('<a class="al-link" href="{}">Compare the two</a>', page)
            sentence = "{} has the same {}. Is it the same person? {}"
            messages.warning(request, format_html(sentence, known.contact, words, link))
            return
