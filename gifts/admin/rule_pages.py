"""“Who would match?”: the page on which one looks before a rule is switched on, and the switch itself."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache

from contacts.models.contact import load_ways
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import render_page
from gifts import milestone_words, rules
from gifts.models import MilestoneRule, RuleRun, WouldMatch
from gifts.rules import RuleRefused
from gifts.running import State

AREA = "rules"
PER_PAGE = 50
MINUTES_EACH = 3  # of recording a video, with the looking up beforehand


def who(request: HttpRequest, object_id: int) -> HttpResponse:
    """Whom the rule would have named over the last twelve months."""
    require(request, SEE, AREA)
    rule = get_object_or_404(MilestoneRule.objects.select_related("assignee__user"), pk=object_id)
    run = rules.simulation_of(rule)
    context: dict[str, Any] = {"rule": rule, "run": run, "may_act": is_allowed(request, CHANGE, AREA)}
    if run is not None and run.state == State.DONE:
        context |= found(request, rule, run)
    elif run is not None:
        context |= how_far(run)
    return render_page(request, "admin/gifts/who.html", f"Who would match “{rule}”?", context)


def found(request: HttpRequest, rule: MilestoneRule, run: RuleRun) -> dict[str, Any]:
    """What it came to, with one page of names."""
    outlook = rules.outlook(run)
    rows = WouldMatch.objects.filter(run=run).select_related("contact").order_by("on", "pk")
    paginator = Paginator(rows, PER_PAGE)
    paginator.count = outlook.matches  # type: ignore[misc]  # known already
    page = paginator.get_page(request.GET.get("p"))
    load_ways(row.contact for row in page)
    names = {str(one.pk): one.name for one in MilestoneRule.objects.filter(pk__in=list(run.overlaps))}
    return {
        "outlook": outlook, "page": page, "hours": duration(outlook.matches * MINUTES_EACH),
        "minutes_each": MINUTES_EACH,
        "rows": [(row, milestone_words.reached(rule, row.threshold, row.period)) for row in page],
        "overlaps": [(names[pk], count) for pk, count in run.overlaps.items() if count and pk in names],
    }  # fmt: skip


def duration(minutes: int) -> str:
    """“45 minutes”, “about 7 hours”."""
    if minutes < 90:
        return f"{minutes} minutes"
    return f"about {round(minutes / 60):,} hours"


def how_far(run: RuleRun) -> dict[str, Any]:
    """How far it is, and whether it is still at it."""
    percent = min(100, run.donors_done * 100 // run.donors) if run.donors else 0
    return {"run": run, "rule": run.rule, "percent": percent, "is_working": run.state == State.WORKING}


@never_cache
def progress(request: HttpRequest, object_id: int) -> HttpResponse:
    """What the page asks for every second; once it is over, the page loads anew."""
    require(request, SEE, AREA)
    rule = get_object_or_404(MilestoneRule, pk=object_id)
    run = rules.simulation_of(rule)
    if run is None or run.state != State.WORKING:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "admin/gifts/who_progress.html", how_far(run))


# --- the buttons: each is a POST ---


def button(act: Callable[[HttpRequest, MilestoneRule], str]) -> Callable[..., HttpResponse]:
    """A POST by somebody who may change rules; the view does it and says where to go."""

    @wraps(act)
    def pressed(request: HttpRequest, object_id: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        require(request, CHANGE, AREA)
        rule = get_object_or_404(MilestoneRule, pk=object_id)
        try:
            where = act(request, rule)
        except RuleRefused as why:
            messages.error(request, str(why))
            where = "admin:gifts_milestonerule_change"
        return redirect(where, object_id)

    return pressed


@button
def look(request: HttpRequest, rule: MilestoneRule) -> str:
    """Replay the last twelve months."""
    rules.who_would_match(rule)
    return "admin:gifts_milestonerule_who"


@button
def on(request: HttpRequest, rule: MilestoneRule) -> str:
    """From now on."""
    run = rules.switch_on(rule)
    quiet = f"{run.noted:,} {'donor' if run.noted == 1 else 'donors'}"
    if run.state == State.WORKING:
        messages.success(request, "The rule is on. What donors have reached until now is being noted quietly.")
    else:
        messages.success(request, f"The rule is on. What {quiet} had reached before is noted quietly; nobody is asked "
                                  "to thank for it.")  # fmt: skip
    return "admin:gifts_milestonerule_change"


@button
def off(request: HttpRequest, rule: MilestoneRule) -> str:
    """It names nobody any more."""
    rules.switch_off(rule)
    messages.success(request, "The rule is off. What was reached stays on record, and nobody new is named.")
    return "admin:gifts_milestonerule_change"
