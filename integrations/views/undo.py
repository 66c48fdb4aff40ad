"""“Take back…”: the button on the report of a run; what it leads to is shown on the page of every run (L37)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations import jobs
from integrations.sync import undoing
from integrations.views.page import press
from integrations.views.runs import run_or_404


@press
def start(request: HttpRequest, uid: Any) -> HttpResponse:
    """Make the preview of taking this run back; nothing is sent by that."""
    run = run_or_404(uid)
    if why_not := undoing.why_not(run):
        messages.error(request, f"This cannot be taken back. {why_not}")
        return redirect("integrations:run", run.uid)
    undo = undoing.start(run, request.user)
    if undo.undoes_id != run.pk:
        messages.info(request, f"Something else is going on with {run.connection}. Press Take back… when it is over.")
    jobs.nudge(run.connection)
    return redirect("integrations:run", undo.uid)
