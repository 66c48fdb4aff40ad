"""The page behind the link of an invitation: for people who are in no organization yet, or in another one.

The page looks the same whether the invited address has a log-in or not. Only somebody who holds the link and goes on
learns of it, and the link went to that very mailbox.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import authenticate, login, logout
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from contacts.tenancy.invitations import LinkIsDead, accept, find
from contacts.tenancy.middleware import SESSION_KEY
from contacts.tenancy.models import Invitation, User
from contacts.tenancy.people_forms import KnownColleagueForm, NewColleagueForm
from contacts.tenancy.roles import ROLE_WORDS

BACKEND = "django.contrib.auth.backends.ModelBackend"


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class Join(View):
    """Take up an invitation: as somebody new, with a log-in that is there already, or as who one is logged in."""

    invitation: Invitation

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = find(kwargs["token"])
        if found is None:
            return self.page(request, "dead", status=404)
        self.invitation = found
        try:
            return super().dispatch(request, *args, **kwargs)
        except LinkIsDead:  # used in another tab, or withdrawn, while this page was open
            return self.page(request, "dead", status=404)

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        if request.user.is_authenticated:
            return self.page(request, "here" if self.is_invited(request.user) else "other")
        if "known" in request.GET:
            return self.page(request, "known", KnownColleagueForm(invitation=self.invitation))
        return self.page(request, "new", NewColleagueForm(invitation=self.invitation))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        if request.user.is_authenticated:
            if self.is_invited(request.user):
                return self.welcome(request, request.user)  # type: ignore[arg-type]
            if "log_out" in request.POST:
                logout(request)
            return redirect("join", token)
        return self.known(request) if "known" in request.GET else self.new(request)

    def new(self, request: HttpRequest) -> HttpResponse:
        """Make a log-in and take the place, both or neither."""
        form = NewColleagueForm(request.POST, invitation=self.invitation)
        if not form.is_valid():
            return self.page(request, "new", form)
        given = form.cleaned_data
        try:
            with transaction.atomic():
                user = User.objects.create_user(
                    self.invitation.email, given["password"],
                    first_name=given["first_name"], last_name=given["last_name"],
                )  # fmt: skip
                accept(self.invitation, user)
        except IntegrityError:
            return self.page(request, "known", KnownColleagueForm(invitation=self.invitation), is_known=True)
        return self.inside(request, user)

    def known(self, request: HttpRequest) -> HttpResponse:
        """The password shows who they are; it stays as it is."""
        form = KnownColleagueForm(request.POST, invitation=self.invitation)
        if form.is_valid():
            user = authenticate(request, username=self.invitation.email, password=form.cleaned_data["password"])
            if user is not None:
                return self.welcome(request, user)  # type: ignore[arg-type]
            form.add_error("password", "That is not the password of this log-in.")
        return self.page(request, "known", form)

    def welcome(self, request: HttpRequest, user: User) -> HttpResponse:
        """Take the place."""
        accept(self.invitation, user)
        return self.inside(request, user)

    def inside(self, request: HttpRequest, user: User) -> HttpResponse:
        """On to the first page of the organization, logged in."""
        if request.user != user:
            login(request, user, backend=BACKEND)
        request.session[SESSION_KEY] = self.invitation.tenant_id
        messages.success(request, f"Welcome to {self.invitation.tenant}.")
        return redirect("admin:index")

    def is_invited(self, user: Any) -> bool:
        """Whether this is the person whose address was invited."""
        return bool(user.email == self.invitation.email)

    def page(self, request: HttpRequest, step: str, form: Any = None, status: int = 200, **more: Any) -> HttpResponse:
        """The page at one of its steps."""
        request.current_app = admin.site.name  # type: ignore[attr-defined]
        context = {**admin.site.each_context(request), "step": step, "form": form, **more}
        if step != "dead":
            context |= {"invitation": self.invitation, "may": ROLE_WORDS[self.invitation.role]}
        context["title"] = "This link no longer works" if step == "dead" else f"Join {self.invitation.tenant}"
        return render(request, "registration/join.html", context, status=status)
