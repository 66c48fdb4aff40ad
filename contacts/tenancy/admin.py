"""The base classes of every page of the staff's site. Each hole through which an admin shows other tenants' rows is
closed here once; `contacts/tenancy/checks.py` refuses a class that opens one again.
"""

from typing import Any, ClassVar, NoReturn

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.db.models import Field, ForeignKey, ManyToManyField, Model, QuerySet, TextField
from django.forms import BaseModelFormSet
from django.http import Http404, HttpRequest, HttpResponse
from phonenumber_field.modelfields import PhoneNumberField
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from contacts.tenancy import gone
from contacts.tenancy.cards import cards_for
from contacts.tenancy.changelist import SteadyChangeList, is_number, keep_numbers
from contacts.tenancy.checks import TenantAdminChecks
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.scoped import rows_of_tenant
from contacts.tenancy.together import SeenForm, SeenFormSet


class Walled:
    """What pages and inlines have in common: roles decide, and every row and every choice is of this tenant."""

    area: ClassVar[str] = ""

    def _is_ours(self, request: HttpRequest, obj: Any) -> bool:
        return obj is None or obj.tenant_id is None or obj.tenant_id == request.tenant.pk  # type: ignore[attr-defined]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_allowed(request, SEE, self.area) and self._is_ours(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_allowed(request, CHANGE, self.area) and self._is_ours(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_allowed(request, CHANGE, self.area) and self._is_ours(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_allowed(request, CHANGE, self.area) and self._is_ours(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_allowed(request, SEE, self.area)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only this tenant's rows, said here although the manager says it as well."""
        return super().get_queryset(request).filter(tenant=request.tenant)  # type: ignore[misc,attr-defined]

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = rows_of_tenant(db_field.remote_field.model, request, kwargs.get("queryset"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = rows_of_tenant(db_field.remote_field.model, request, kwargs.get("queryset"))
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, PhoneNumberField):  # typed without a country code, it is of the tenant's region
            kwargs |= {"region": request.tenant.phone_region, "widget": UnfoldAdminTextInputWidget()}  # type: ignore[attr-defined]
            return db_field.formfield(**kwargs)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if isinstance(getattr(field, "widget", None), RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget  # without the buttons that open other forms in pop-up windows
        return field


class TenantAdmin(Walled, ModelAdmin):
    """The base of every admin class of the staff's site. A row of another tenant is 404, not a redirect."""

    checks_class = TenantAdminChecks
    form = SeenForm
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})}}
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_max_show_all = 0
    empty_sentence: ClassVar[str] = ""
    rows_called: ClassVar[tuple[str, str] | None] = None  # one and several, where the page has a name of its own
    list_per_page = 50
    list_filter_submit = True
    compressed_fields = False
    warn_unsaved_form = True
    has_history: ClassVar[bool] = False
    delete_confirmation_template = "admin/tenancy/delete.html"
    change_form_before_template = "admin/tenancy/name.html"
    change_form_outer_after_template = "admin/tenancy/cards.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        require(request, SEE, self.area)
        keep_numbers(request)
        return super().changelist_view(request, extra_context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SteadyChangeList]:
        return SteadyChangeList

    def listed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with what the columns of their list count."""
        return rows

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        require(request, SEE if object_id and request.method == "GET" else CHANGE, self.area)
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        try:
            return self._saved(request, object_id, form_url, extra_context)
        except DatabaseError as failure:
            if not gone.was_overtaken(failure):
                raise
            return self._saved(request, object_id, form_url, extra_context)

    @transaction.atomic
    def _saved(self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: Any) -> HttpResponse:
        """One after the other: two people who press Save in the same moment are told of each other, too."""
        if object_id and is_number(object_id):
            rows = self.model._default_manager.filter(tenant=request.tenant, pk=object_id)  # type: ignore[attr-defined]
            rows.order_by().values("pk").select_for_update(no_key=True).first()
        return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require(request, CHANGE, self.area)
        return super().delete_view(request, object_id, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's log is neither written nor shown: it knows no tenants. Rows with a history show their own."""
        raise Http404

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        if request.method == "POST" and (answer := gone.answer(request, self)):
            return answer
        raise Http404(f"There is no {opts.verbose_name} here with that number.")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing is filled in from the address: `?contact=<id>` would show a name."""
        return {}

    def _create_formsets(self, request: HttpRequest, obj: Any, change: bool) -> Any:
        """Say what was changed in rows that are gone, whether the rest can be saved or not."""
        formsets, inlines = super()._create_formsets(request, obj, change)  # type: ignore[misc]
        for sentence in [one for formset in formsets if isinstance(formset, SeenFormSet) for one in formset.lost]:
            messages.warning(request, sentence)
        return formsets, inlines

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self._place(request, obj)
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: BaseModelFormSet, change: bool) -> None:
        for row in [f.instance for f in formset.forms]:
            self._place(request, row)
        super().save_formset(request, form, formset, change)

    def _place(self, request: HttpRequest, obj: Any) -> None:
        """A row is saved in the tenant of the request, and in no other."""
        if obj.tenant_id is None:
            obj.tenant = request.tenant  # type: ignore[attr-defined]
        if not self._is_ours(request, obj):
            raise PermissionDenied("That belongs to another organization.")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        for obj in objs:
            if not self._is_ours(request, obj):
                raise Http404
        return super().get_deleted_objects(objs, request)

    def get_inline_formsets(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """“Add another email address”: in the middle of a sentence a noun is not capitalized."""
        found = super().get_inline_formsets(request, *args, **kwargs)  # type: ignore[misc]
        for one in found:
            noun = str(one.opts.verbose_name)
            words = f"Add another {noun[:1].upper()}{noun[1:]}"
            one.inline_formset_data = one.inline_formset_data().replace(words, f"Add another {noun}")
        return found

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The form with the cards of the apps above below it."""
        obj = kwargs.get("obj")
        context["show_history"] = self.has_history
        context["cards"] = cards_for(request, obj) if obj and obj.pk and not context.get("is_popup") else []
        return super().render_change_form(request, context, *args, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        """Not written: `Recorded` keeps the history, inside the tenant."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        """Not written, see `log_addition`."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Not written, see `log_addition`."""


class ReadOnlyTenantAdmin(TenantAdmin):
    """A ledger: staff read it, nobody changes it here."""

    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not object_id or request.method != "GET":
            self._refuse(request, object_id)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._refuse(request, object_id)

    def _refuse(self, request: HttpRequest, object_id: str | None) -> NoReturn:
        """Not there for others; for ourselves a sentence."""
        if object_id and self.get_object(request, object_id) is None:
            raise Http404
        raise PermissionDenied("This is a record of what happened: it can be read, not changed.")


class TenantInline(Walled):
    """The base of every inline of the staff's site; use one of the two below."""

    extra = 0
    form = SeenForm
    formset = SeenFormSet
    hide_title = True


class TenantTabularInline(TenantInline, TabularInline):
    """Rows as a table. The headings of its columns are no labels to a screen reader: each field says its own name."""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """With an `aria-label` on every field."""
        plain: Any = super().get_formset(request, obj, **kwargs)

        class Named(plain):
            def add_fields(self, form: Any, index: int | None) -> None:
                super().add_fields(form, index)
                for name, field in form.fields.items():
                    field.widget.attrs.setdefault("aria-label", str(form[name].label))

        return Named


class TenantStackedInline(TenantInline, StackedInline):
    """Rows one below the other."""
