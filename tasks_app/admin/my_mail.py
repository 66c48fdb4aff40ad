"""What I hear by mail (T3): each person chooses for themselves; nothing is sent unless they say so."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.widgets import UnfoldBooleanSwitchWidget

from contacts.tenancy.views import render_page
from tasks_app.models import Notifications


class MyMailForm(forms.ModelForm):
    """The two kinds."""

    class Meta:
        model = Notifications
        fields = ["on_assignment", "weekly"]
        widgets = {"on_assignment": UnfoldBooleanSwitchWidget, "weekly": UnfoldBooleanSwitchWidget}


def page(request: HttpRequest) -> HttpResponse:
    """Mine only: whoever asks."""
    member = getattr(request, "member", None)
    if member is None:
        raise PermissionDenied("You have no place in this organization.")
    mine = Notifications.objects.filter(member=member).first() or Notifications(member=member)
    form = MyMailForm(request.POST if request.method == "POST" else None, instance=mine)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved. You hear what you have chosen, and nothing else.")
        return redirect("admin:my_notifications")
    context = {"form": form, "address": request.user.email}  # type: ignore[union-attr]
    return render_page(request, "admin/thanks/my_mail.html", "My notifications", context)
