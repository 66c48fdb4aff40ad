"""The pages on people and roles: who works here, who is invited. Owners change it, everybody else reads."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from contacts.tenancy import invitations
from contacts.tenancy import people as verbs
from contacts.tenancy.models import Invitation, Role, StaffMember
from contacts.tenancy.people_forms import InviteForm, RoleForm
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require, table
from contacts.tenancy.views import render_page

PER_PAGE = 50


def addresses(wrap: Callable[..., Any]) -> list[URLPattern]:
    """The addresses of these pages; `wrap` is the site's `admin_view`, which asks for a log-in."""
    return [
        path("people/", wrap(people), name="people"),
        path("people/invite/", wrap(invite), name="people_invite"),
        path("people/<int:object_id>/", wrap(person), name="contacts_staffmember_change"),
        path("people/<int:object_id>/remove/", wrap(remove), name="contacts_staffmember_remove"),
        path("people/invitations/<int:object_id>/send/", wrap(send_again), name="contacts_invitation_send"),
        path("people/invitations/<int:object_id>/withdraw/", wrap(withdraw), name="contacts_invitation_withdraw"),
    ]


def people(request: HttpRequest) -> HttpResponse:
    """Everybody with a place here, whoever is invited, and what each role may do; or just the invitations that ran
    out."""
    require(request, SEE, "people")
    only_late = request.GET.get("invitations") == "late"
    places = StaffMember.objects.select_related("user").order_by("user__first_name", "user__last_name", "user__email")
    waiting = Invitation.objects.filter(accepted_at=None, withdrawn_at=None)
    invited = (invitations.late_invitations() if only_late else waiting).select_related("invited_by")
    context = {
        "page": Paginator(places, PER_PAGE).get_page(request.GET.get("p")),
        "invited": Paginator(invited, PER_PAGE).get_page(request.GET.get("i")),
        "only_late": only_late,
        "just_sent": request.GET.get("sent"),
        "may_change": is_allowed(request, CHANGE, "people"),
        "roles": list(reversed(Role)),
        "table": table(),
    }
    return render_page(request, "organization/people.html", "People and roles", context)


def invite(request: HttpRequest) -> HttpResponse:
    """Offer somebody a place."""
    require(request, CHANGE, "people")
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            sent = invitations.invite(here(request), form.cleaned_data["email"], form.cleaned_data["role"])
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            return told(request, sent, f"An invitation is on its way to {sent.invitation.email}.")
    return render_page(request, "organization/invite.html", "Invite somebody", {"form": form})


def person(request: HttpRequest, object_id: int) -> HttpResponse:
    """One person's role."""
    require(request, CHANGE, "people")
    member = get_object_or_404(StaffMember.objects.select_related("user"), pk=object_id)
    form = RoleForm(request.POST or None, initial={"role": member.role})
    if request.method == "POST" and form.is_valid():
        try:
            member = verbs.change_role(here(request), object_id, form.cleaned_data["role"])
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            messages.success(request, f"{member.user} is {member.get_role_display().lower()} of {member.tenant}.")
            return redirect("admin:people")
    context = {"form": form, "person": member, "is_last_owner": is_last(member), "is_me": is_me(request, member)}
    return render_page(request, "organization/person.html", str(member.user), context)


def remove(request: HttpRequest, object_id: int) -> HttpResponse:
    """Take somebody's place away, after a look at what that means."""
    require(request, CHANGE, "people")
    member = get_object_or_404(StaffMember.objects.select_related("user"), pk=object_id)
    if request.method == "POST":
        try:
            user = verbs.remove(here(request), object_id)
        except ValidationError as problem:
            messages.error(request, problem.messages[0])
        else:
            messages.success(request, f"{user} no longer has a place in {member.tenant}.")
        return redirect("admin:people")
    context = {"person": member, "is_last_owner": is_last(member), "is_me": is_me(request, member)}
    return render_page(request, "organization/person_remove.html", f"Remove {member.user}", context)


@require_POST
def send_again(request: HttpRequest, object_id: int) -> HttpResponse:
    """A new link for somebody who is invited."""
    require(request, CHANGE, "people")
    email = get_object_or_404(Invitation, pk=object_id).email
    try:
        sent = invitations.send_again(here(request), object_id)
    except ValidationError as problem:
        messages.error(request, problem.messages[0])
        return back_to_invitations(request)
    return told(request, sent, f"A new invitation is on its way to {email}. The link sent before no longer works.")


@require_POST
def withdraw(request: HttpRequest, object_id: int) -> HttpResponse:
    """The link of an invitation is dead from now on."""
    require(request, CHANGE, "people")
    get_object_or_404(Invitation, pk=object_id)
    try:
        invitation = invitations.withdraw(here(request), object_id)
        messages.success(request, f"The invitation of {invitation.email} is withdrawn; its link no longer works.")
    except ValidationError as problem:
        messages.error(request, problem.messages[0])
    return back_to_invitations(request)


def back_to_invitations(request: HttpRequest, changed: Invitation | None = None) -> HttpResponse:
    """To those that the page had shown; or, where one has changed, to its row among all of them."""
    shown = request.GET.copy()
    shown.pop("sent", None)
    if changed is not None:
        shown.pop("invitations", None)  # it is not late any more
        shown["sent"] = str(changed.pk)  # and says so, because the message at the top is out of sight
    query, row = shown.urlencode(), f"#invitation-{changed.pk}" if changed else ""
    return redirect(f"{reverse('admin:people')}{'?' if query else ''}{query}{row}")


def told(request: HttpRequest, sent: invitations.Sent, sentence: str) -> HttpResponse:
    """It is on its way; or it is not, and then the link is shown, this once."""
    if not sent.invitation.mail_error:
        messages.success(request, sentence)
        return back_to_invitations(request, sent.invitation)
    context = {"invitation": sent.invitation, "link": sent.link, "no_mail": invitations.NO_MAIL}
    return render_page(request, "organization/invitation_by_hand.html", "The invitation was not sent", context)


def here(request: HttpRequest) -> StaffMember:
    """The place of whoever asks."""
    return request.member  # type: ignore[attr-defined,no-any-return]


def is_me(request: HttpRequest, member: StaffMember) -> bool:
    """Whether somebody is looking at their own place."""
    return member.user_id == request.user.pk


def is_last(member: StaffMember) -> bool:
    """Whether this is the only owner, who has to stay."""
    return member.role == Role.OWNER and verbs.is_last_owner(member)
