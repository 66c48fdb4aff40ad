"""A forgotten password: a link by mail, good once, for an hour. The answer never tells whether we know the address,
nor whether somebody has asked so often that no further mail goes out.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse_lazy
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget

from contacts.tenancy.throttle import is_too_often, visitor

HOUR = timedelta(hours=1)
PER_ADDRESS, PER_VISITOR = 5, 30  # in an hour; an office of many people looks like one visitor


class AddressForm(PasswordResetForm):
    """The address that somebody logs in with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "E-mail address"
        self.fields["email"].widget = UnfoldAdminEmailInputWidget(attrs={"autocomplete": "username", "autofocus": True})


class NewPasswordForm(SetPasswordForm):
    """A new password, typed twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


class Page:
    """What the four pages share: the site's frame."""

    title = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the site's name, colours and style sheets."""
        context = super().get_context_data(**kwargs)  # type: ignore[misc]
        return {**admin.site.each_context(self.request), **context}  # type: ignore[attr-defined]


class Forgotten(Page, views.PasswordResetView):
    """Ask for the link. It leads to PUBLIC_URL, never to the host that a request happened to name."""

    title = "Forgotten your password?"
    form_class = AddressForm
    template_name = "registration/password_reset_form.html"
    email_template_name = "registration/password_reset_email.txt"
    subject_template_name = "registration/password_reset_subject.txt"
    success_url = reverse_lazy("admin:password_reset_done")
    extra_email_context = {"public_url": settings.PUBLIC_URL}

    def form_valid(self, form: Any) -> HttpResponse:
        """Both are counted, whether or not the other has had enough."""
        came_from = visitor(self.request)
        asked = [is_too_often("forgotten, address", form.cleaned_data["email"].strip().lower(), PER_ADDRESS, HOUR)]
        if came_from:
            asked.append(is_too_often("forgotten, visitor", came_from, PER_VISITOR, HOUR))
        return HttpResponseRedirect(str(self.success_url)) if any(asked) else super().form_valid(form)


class Sent(Page, views.PasswordResetDoneView):
    """The link is on its way, if there is such an account."""

    title = "Look into your mailbox"
    template_name = "registration/password_reset_done.html"


class Choose(Page, views.PasswordResetConfirmView):
    """Choose a new password."""

    title = "Choose a new password"
    form_class = NewPasswordForm
    template_name = "registration/password_reset_confirm.html"
    success_url = reverse_lazy("admin:password_reset_complete")


class Done(Page, views.PasswordResetCompleteView):
    """The new password is in place."""

    title = "Your password is changed"
    template_name = "registration/password_reset_complete.html"
