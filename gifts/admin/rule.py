"""The pages of milestone rules: all of them in words, and one to make, look at, switch on and off."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from contacts.tenancy.admin import TenantAdmin
from contacts.tenancy.models import Role, StaffMember
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import render_page
from gifts import rules
from gifts.admin import rule_pages, streaks
from gifts.admin.rule_form import FILTERS, RuleForm
from gifts.models import MilestoneReached, MilestoneRule
from gifts.running import State, What

KINDS = [
    ("A number of gifts", "The 10th gift, or the 25th."),
    ("An amount given in all", "$1,000 over all the years, also in small gifts."),
    ("An amount given within a year", "$500 since July, once in each such year."),
    ("Years in a row with a gift", "A gift in each of five calendar years; a year without one begins anew."),
]
YEAR = timedelta(days=365)


@admin.register(MilestoneRule)
class MilestoneRuleAdmin(TenantAdmin):
    """What is to be reached, and what is done then."""

    area = "rules"
    form = RuleForm
    conditional_fields = {"month": "kind == 'since_month'"}
    change_form_outer_before_template = "admin/gifts/rule_before.html"

    # --- all rules ---

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """All of them on one page, there are not many; with how many donors each has named."""
        require(request, SEE, self.area)
        context = {
            "opts": self.opts, "rows": list(with_counts(self.get_queryset(request))), "kinds": KINDS,
            "may_change": is_allowed(request, CHANGE, self.area), "at_risk": streaks.count(),
        }  # fmt: skip
        return render_page(request, "admin/gifts/rules.html", "Milestones", context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("assignee__user")

    # --- one rule ---

    def get_urls(self) -> list[Any]:
        wrap, name = self.admin_site.admin_view, "gifts_milestonerule_"
        return [
            path("at-risk/", wrap(streaks.page), name=f"{name}at_risk"),
            path("in-words/", wrap(self.in_words), name=f"{name}in_words"),
            path("<int:object_id>/who/", wrap(rule_pages.who), name=f"{name}who"),
            path("<int:object_id>/who/progress/", wrap(rule_pages.progress), name=f"{name}progress"),
            path("<int:object_id>/look/", wrap(rule_pages.look), name=f"{name}look"),
            path("<int:object_id>/on/", wrap(rule_pages.on), name=f"{name}on"),
            path("<int:object_id>/off/", wrap(rule_pages.off), name=f"{name}off"),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What may be changed: everything of a new rule; of one that was on, no more what it counts."""
        meaning: list[Any] = [] if obj and obj.is_on else ["thresholds"]
        if obj is None or obj.on_since is None:
            meaning = [("kind", "month"), "thresholds"]
        found: list[Any] = [(None, {"fields": ["name", *meaning]})]
        if obj is None or obj.on_since is None:
            found.append(("Which gifts count", {"fields": [("at_least", "source"), ("campaign", "fund")]}))
        return [*found, ("What happens then", {"fields": [("action", "assignee"), "instruction"]})]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"month": request.tenant.fiscal_year_start}  # type: ignore[attr-defined]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "assignee":
            able = StaffMember.objects.filter(user__is_active=True).exclude(role=Role.VIEWER)  # viewers thank nobody
            kwargs["queryset"] = able.select_related("user")
            kwargs["empty_label"] = "The whole team"
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        rule = kwargs.get("obj")
        context["may_act"] = is_allowed(request, CHANGE, self.area)
        if rule and rule.pk:
            context |= {"rule": rule, "named": named(rule), "looked": rules.simulation_of(rule)}
            context["settling"] = rule.runs.filter(what=What.SETTLE, state=State.WORKING).first()
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: MilestoneRule, form: Any, change: bool) -> None:
        """A rule that means something else is looked at anew before it is switched on."""
        if change and form.means_something_else():
            obj.version += 1
        super().save_model(request, obj, form, change)

    def in_words(self, request: HttpRequest) -> HttpResponse:
        """What the form says now, as a sentence; the page asks while one types. Nothing is saved."""
        require(request, SEE, self.area)
        known = {name: value for name, value in request.GET.items() if name in (*FILTERS, "kind", "month")}
        form = self.get_form(request, None)({**known, **{
            name: request.GET.get(name, "") for name in ("name", "thresholds", "action", "assignee", "instruction")
        }})  # fmt: skip
        form.is_valid()
        names = {f.name for f in MilestoneRule._meta.fields}
        rule = MilestoneRule(**{name: value for name, value in form.cleaned_data.items() if name in names})
        wrong = form.errors.get("thresholds") if request.GET.get("thresholds", "").strip() else None
        return render(request, "admin/gifts/rule_words.html", {"sentence": rule.sentence, "wrong": wrong})

    # --- deleting ---

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only what has never named anybody."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.on_since is None)

    def delete_model(self, request: HttpRequest, obj: MilestoneRule) -> None:
        rules.delete_rule(obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The rule alone: nothing hangs on one that was never on."""
        return ["It was never on, so it has named nobody."], {"rules": len(objs)}, set(), []

    def response_post_save_add(self, request: HttpRequest, obj: MilestoneRule) -> HttpResponse:
        return redirect("admin:gifts_milestonerule_who", obj.pk)

    def response_post_save_change(self, request: HttpRequest, obj: MilestoneRule) -> HttpResponse:
        return redirect("admin:gifts_milestonerule_change", obj.pk)


def with_counts(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With how many donors each has named in the last year."""
    since = timezone.now() - YEAR
    here = MilestoneReached.objects.filter(rule=OuterRef("pk"), is_highest=True, is_quiet=False, noted_at__gte=since)
    counts = here.order_by().values("rule").annotate(n=Count("pk")).values("n")
    return rows.annotate(named=Coalesce(Subquery(counts, output_field=IntegerField()), 0))


def named(rule: MilestoneRule) -> dict[str, int]:
    """How many it has named, and how many were noted quietly; one query."""
    rows = rule.reached.order_by().values_list("is_quiet", "is_highest").annotate(Count("pk"))
    found = {"quiet": 0, "loud": 0}
    for is_quiet, is_highest, count in rows:
        if is_quiet or is_highest:
            found["quiet" if is_quiet else "loud"] += count
    return found
