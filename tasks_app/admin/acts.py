"""The buttons of thank-yous and notes. Each is a POST that does one thing and says what happened."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.formats import date_format

from contacts.models import Contact
from contacts.tenancy.roles import CHANGE, require
from tasks_app import notes, services
from tasks_app.admin.forms import DismissForm, HandOverForm, NoteForm, SnoozeForm, ThankedForm
from tasks_app.models import Note, ThankYou
from tasks_app.notes import NoteRefused
from tasks_app.services import ThankYouRefused

AREA = "thanks"
REFUSED = (ThankYouRefused, NoteRefused)


def button(model: Any) -> Callable[[Callable[..., str]], Callable[..., HttpResponse]]:
    """A POST by somebody who may thank, on a row of this tenant."""

    def decorate(view: Callable[..., str]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def pressed(request: HttpRequest, object_id: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            require(request, CHANGE, AREA)
            row = get_object_or_404(model, pk=object_id)
            try:
                messages.success(request, view(request, row))
            except REFUSED as why:
                messages.error(request, str(why))
            return redirect(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", object_id)

        return pressed

    return decorate


def valid(form: Any) -> Any:
    """The form, or the first thing that is wrong with it."""
    if not form.is_valid():
        raise ThankYouRefused(f"Nothing was changed. {next(iter(form.errors.values()))[0]}")
    return form


@button(ThankYou)
def claim(request: HttpRequest, row: ThankYou) -> str:
    """“I do this one”."""
    done = services.claim(row, request.member)  # type: ignore[attr-defined]
    return f"It is yours: thank {done.contact} by {date_format(done.due_on, 'F j')}."


@button(ThankYou)
def hand_over(request: HttpRequest, row: ThankYou) -> str:
    """To somebody, or to the team."""
    done = services.hand_over(row, valid(HandOverForm(request.POST)).cleaned_data["member"])
    return f"It is with {done.assignee.user if done.assignee else 'the whole team'} now."


@button(ThankYou)
def snooze(request: HttpRequest, row: ThankYou) -> str:
    """To a later day, or back again."""
    if request.POST.get("verb") == "wake":
        services.snooze(row, None)
        return "It is back among what is to do."
    until = valid(SnoozeForm(request.POST)).cleaned_data["until"]
    services.snooze(row, until)
    return f"It comes back on {date_format(until, 'F j, Y')}."


@button(ThankYou)
def thanked(request: HttpRequest, row: ThankYou) -> str:
    """By other means."""
    done = services.mark_thanked(row, valid(ThankedForm(request.POST)).cleaned_data["how"])
    return f"{done.contact} was thanked: {done.how.lower()}. Well done."


@button(ThankYou)
def dismiss(request: HttpRequest, row: ThankYou) -> str:
    """It is not going to be done."""
    done = services.dismiss(row, valid(DismissForm(request.POST)).sentence())
    return f"Dismissed: {done.closing_note}. You can open it again below."


@button(ThankYou)
def reopen(request: HttpRequest, row: ThankYou) -> str:
    """It is to be done after all."""
    services.reopen(row)
    return "It is to do again."


@button(ThankYou)
def judged(request: HttpRequest, row: ThankYou) -> str:
    """Somebody has looked at it."""
    services.judged(row)
    return "Noted: you have looked at it."


@button(Note)
def send_again(request: HttpRequest, row: Note) -> str:
    """Once more."""
    notes.send_again(row)
    return "It is sent again within a minute. Whether they may be written to is looked at once more then."


@button(Note)
def stop(request: HttpRequest, row: Note) -> str:
    """Not at all."""
    notes.stop(row)
    return "It is not sent."


@button(Contact)
def ask(request: HttpRequest, contact: Contact) -> str:
    """Somebody wants this contact to be thanked."""
    services.ask_by_hand(contact, request.POST.get("why", "")[:300])
    return f"{contact} is among those to thank now."


@button(Contact)
def write(request: HttpRequest, contact: Contact) -> str:
    """A note to this contact."""
    template = valid(NoteForm(request.POST)).cleaned_data["template"]
    note = notes.write(contact, template, "Written by hand.")
    if template.delay_hours:
        return f"The note goes out in {template.delay_hours} hours. Until then it can be stopped under Notes."
    return f"The note to {note.contact} goes out within a minute."


def addresses(wrap: Callable[..., Any]) -> list[URLPattern]:
    """Where the buttons lead."""
    of_rows: dict[str, Any] = {
        "claim": claim, "hand-over": hand_over, "snooze": snooze, "thanked": thanked, "dismiss": dismiss,
        "reopen": reopen, "judged": judged,
    }  # fmt: skip
    return [
        *(path(f"<int:object_id>/{word}/", wrap(view), name=f"tasks_app_thankyou_{word.replace('-', '_')}")
          for word, view in of_rows.items()),
        path("ask/<int:object_id>/", wrap(ask), name="contacts_contact_ask_for_thanks"),
        path("note/<int:object_id>/", wrap(write), name="contacts_contact_send_note"),
    ]  # fmt: skip
