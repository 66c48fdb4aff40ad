"""The settings of one integration: the provider's own form, kept at once or, when it moves people, by a preview."""

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from contacts.models import Contact, ListMembership
from contacts.tenancy.roles import CHANGE
from integrations import connecting, jobs
from integrations.forms import BrakeForm, OwnersForm, dress, groups_of
from integrations.models import Connection
from integrations.provider_kit.base import Can
from integrations.provider_kit.errors import CallFailed
from integrations.sync import runs
from integrations.sync.listening import start_listening
from integrations.views.page import lists_or_404, press, provider_or_404, render, staff_page


@staff_page(CHANGE, ("GET", "HEAD", "POST"))
def edit(request: HttpRequest, provider: str) -> HttpResponse:
    """Review and save (L3, L24)."""
    kind, connection = provider_or_404(provider), lists_or_404(provider)
    if not connection.is_connected:
        messages.error(request, f"Connect {kind.label} first.")
        return redirect("integrations:setup")
    data = request.POST if request.method == "POST" else None
    try:
        # The form asks the vendor what there is to choose from.
        form = kind.settings_form()(data, initial=connection.settings, connection=connection)
        owners, brake = OwnersForm.of(data, connection), BrakeForm.of(data, connection.settings)
        if data is not None and all([form.is_valid(), owners.is_valid(), brake.is_valid()]):
            new = {**form.to_settings(), **owners.to_settings(), **brake.to_settings()}
            new.pop("who_wins", None)  # how earlier versions kept whose data count
            return _keep(request, connection, kind.label, new)
    except CallFailed as failure:
        messages.error(request, f"{kind.label} could not be asked just now: {failure} Please try again.")
        return redirect("integrations:setup")
    return render(
        request, "settings.html", f"{kind.label} settings", service=kind.label, connection=connection,
        form=dress(form), groups=groups_of(form), owners=dress(owners), brake=groups_of(dress(brake)),
        is_told=Can.WEBHOOKS in kind.can,
        doubled=on_several_lists() if hasattr(form, "apart") else None, short=without_room(connection, form),
        is_first=connection.state == Connection.State.SETUP,
    )  # fmt: skip


def on_several_lists() -> dict[str, Any]:
    """Who would be there more than once if each list were a place of its own (L24): how many, and a few names."""
    places = ListMembership.objects.filter(contact_list__synchronize=True, do_not_contact=False).order_by()
    found = places.values("contact").annotate(lists=Count("pk")).filter(lists__gt=1)
    some = Contact.objects.filter(pk__in=found.values("contact"))[:3]
    return {"count": found.count(), "names": [str(contact) for contact in some]}


def without_room(connection: Connection, form: Any) -> dict[str, Any] | None:
    """The same warning that the preview gives (L24), before anything is chosen: were each list a place of its own."""
    apart = getattr(form, "apart", None)
    if apart is None:
        return None
    short = connecting.too_many(connection, apart, form.room, connecting.without_place(connection))
    is_so = connecting.too_many(connection, connection.settings, 0, 1) is not None
    return {**short, "if_so": not is_so} if short else None


def _keep(request: HttpRequest, connection: Connection, label: str, new: dict[str, object]) -> HttpResponse:
    if connecting.moves_people(connection, new):
        run = runs.start(connection, request.user, new_settings=new)
        jobs.nudge(connection)
        if run.new_settings == new:
            messages.warning(
                request,
                f"These settings change where people are at {label}, or what is sent about them. Nothing has been "
                "changed yet: look at the preview below. The settings take effect when you confirm it.",
            )
        else:
            messages.error(request, "A Sync is running. Change these settings when it has finished.")
        return redirect("integrations:run", run.uid)
    was_first = connection.state == Connection.State.SETUP
    connecting.save_settings(connection, new)
    connection.refresh_from_db()
    messages.success(
        request, "Saved. Now press Sync to see what would be sent; nothing goes out before you confirm."
        if was_first else "Saved.",
    )  # fmt: skip
    _listen(request, connection, label)
    return redirect("integrations:setup")


def _listen(request: HttpRequest, connection: Connection, label: str) -> bool:
    sentence = start_listening(connection)
    if sentence:
        messages.warning(
            request,
            f"{label} could not be asked to tell us at once when somebody unsubscribes: {sentence} "
            "Almoner still asks for unsubscribes regularly. You can try again on the card.",
        )
    return not sentence


@press
def listen(request: HttpRequest, provider: str) -> HttpResponse:
    """Ask the vendor once more to send its messages to us."""
    kind, connection = provider_or_404(provider), lists_or_404(provider)
    if connection.is_connected and _listen(request, connection, kind.label):
        messages.success(request, f"{kind.label} now tells Almoner at once when somebody unsubscribes.")
    return redirect("integrations:setup")
