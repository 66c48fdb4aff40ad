"""The words of notes, with an example of a real donor that follows while one types (T2)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from contacts.tenancy.admin import TenantAdmin
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.together import SeenForm
from gifts.models import Gift, Giving
from tasks_app import asking, merge_fields, notes
from tasks_app.models import Note, NoteTemplate


class TemplateForm(SeenForm):
    """Name, subject, words, delay."""

    class Meta:
        widgets = {"body": UnfoldAdminTextareaWidget(attrs={"rows": 12})}

    def clean_name(self) -> str:
        name: str = " ".join(self.cleaned_data["name"].split())
        return name


@admin.register(NoteTemplate)
class NoteTemplateAdmin(TenantAdmin):
    """What notes say."""

    area = "thanks"
    form = TemplateForm
    list_display = ["name", "subject", "when"]
    search_fields = ["name", "subject"]
    ordering = ["name", "pk"]
    actions = None
    fieldsets = [(None, {"fields": ["name", "subject", "body", "delay_hours"]})]
    change_form_outer_before_template = "admin/thanks/template_before.html"
    empty_sentence = "Write what your notes say, with fields such as {{ first_name }} for each donor’s own."

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [path("example/", wrap(self.example), name="tasks_app_notetemplate_example"), *super().get_urls()]

    @display(description="Sent")
    def when(self, row: NoteTemplate) -> str:
        hours = row.delay_hours
        return "At once" if not hours else f"After {hours} hour{'' if hours == 1 else 's'}"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        fields = [(f"{{{{ {name} }}}}", meaning) for name, meaning in merge_fields.FIELDS.items()]
        context |= {"merge_fields": fields, "may_act": is_allowed(request, CHANGE, self.area)}
        if kwargs.get("obj"):
            context["example"] = example_of(kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def example(self, request: HttpRequest) -> HttpResponse:
        """What the form says now, for the donor who gave last. Nothing is saved."""
        require(request, SEE, self.area)
        template = NoteTemplate(subject=request.GET.get("subject", ""), body=request.GET.get("body", ""))
        problem = merge_fields.problem(template.subject) or merge_fields.problem(template.body)
        context = {"problem": problem, "example": None if problem else example_of(template)}
        return render(request, "admin/thanks/example.html", context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Notes that were sent keep their words."""
        waiting = Note.objects.filter(template__in=[one.pk for one in objs], state=Note.State.WAITING).count()
        told = ["Notes that were sent keep their words."]
        if waiting:
            told.append(f"{waiting:,} waiting note{'' if waiting == 1 else 's'} will use another template.")
        return told, {"templates": len(objs)}, set(), []

    def response_post_save_add(self, request: HttpRequest, obj: NoteTemplate) -> HttpResponse:
        return redirect("admin:tasks_app_notetemplate_change", obj.pk)

    def response_post_save_change(self, request: HttpRequest, obj: NoteTemplate) -> HttpResponse:
        return redirect("admin:tasks_app_notetemplate_change", obj.pk)


def example_of(template: NoteTemplate) -> dict[str, Any] | None:
    """The words for the donor who gave last, or None where nobody has given. Two queries."""
    gift = Gift.objects.in_number().select_related("contact").order_by("-received_on", "-pk").first()
    if gift is None:
        return None
    giving = Giving.objects.filter(contact=gift.contact).first()
    subject, body = notes.words_for(template, notes.values_for(gift.contact, asking.for_gift(gift), giving))
    return {"contact": gift.contact, "subject": subject, "body": body}
