"""What operators see: who logs in, which organizations there are, who has a place where, lockouts and the queue."""

from typing import Any

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib.admin import register
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from config.operator_site import operators
from contacts.models import HistoryEntry
from contacts.tenancy.models import StaffMember, Tenant, User
from contacts.tenancy.people import PLACE, named, note
from contacts.tenancy.walls import in_tenant
from gifts.donating.network import would_circle


@register(User, site=operators)
class PeopleAdmin(UserAdmin, ModelAdmin):
    """People who log in. What they may do in an organization is said by their place there."""

    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["email", "first_name", "last_name"]
    filter_horizontal = ()
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["email", "password", "first_name", "last_name"]}),
        ("May log in", {"fields": ["is_active", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "first_name", "last_name", "password1", "password2"]})]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever leaves is switched off: the consent ledger, which nobody changes, names them."""
        return False


class OrganizationForm(forms.ModelForm):
    """An organization; which one it is part of is decided here, for it concerns both."""

    def clean_parent(self) -> Tenant | None:
        """A network has an end."""
        parent: Tenant | None = self.cleaned_data["parent"]
        if parent is not None and self.instance.pk and would_circle(self.instance, parent):
            raise ValidationError(f"{parent} is part of {self.instance} already, or is it. Choose another one.")
        return parent


@register(Tenant, site=operators)
class TenantsAdmin(ModelAdmin):
    """The organizations of this installation. They change their settings themselves."""

    form = OrganizationForm
    list_display = ["name", "parent", "time_zone", "created_at"]
    list_select_related = ["parent"]
    search_fields = ["name"]
    fields = ["name", "time_zone", "currency", "phone_region", "country", "parent", "mobile_goes_up"]
    autocomplete_fields = ["parent"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An organization's ledgers outlive a click."""
        return False


class PlaceForm(forms.ModelForm):
    """A place names its organization once; afterwards only the role changes."""

    organization: Any = forms.ModelChoiceField(queryset=None, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["organization"]
        field.queryset = Tenant.objects.all()  # type: ignore[attr-defined]
        if self.instance.pk:
            field.initial, field.disabled = self.instance.tenant_id, True

    def clean(self) -> dict[str, Any] | None:
        """The place is put into the organization before it is checked for being there already."""
        cleaned = super().clean()
        if not self.instance.pk and (organization := self.cleaned_data.get("organization")):
            self.instance.tenant = organization
        return cleaned


@register(StaffMember, site=operators)
class PlacesAdmin(ModelAdmin):
    """Who has a place in which organization, with which role."""

    form = PlaceForm
    fields = ["organization", "user", "role"]
    list_display = ["user", "organization", "role", "created_at"]
    list_filter = [("tenant", RelatedDropdownFilter), "role"]
    list_select_related = ["user", "tenant"]
    search_fields = ["user__email", "user__first_name", "user__last_name", "tenant__name"]
    autocomplete_fields = ["user"]

    @display(description="Organization", ordering="tenant__name")
    def organization(self, member: StaffMember) -> str:
        return member.tenant.name

    def save_model(self, request: HttpRequest, obj: StaffMember, form: Any, change: bool) -> None:
        """The organization reads in its own history what operators have done to its people."""
        super().save_model(request, obj, form, change)
        if not change:
            tell(obj, HistoryEntry.Verb.ADDED, None, obj.role)
        elif "role" in form.changed_data:
            tell(obj, HistoryEntry.Verb.CHANGED, form.initial["role"], obj.role)

    def delete_model(self, request: HttpRequest, obj: StaffMember) -> None:
        tell(obj, HistoryEntry.Verb.DELETED, obj.role, None)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for member in queryset:
            self.delete_model(request, member)


def tell(member: StaffMember, verb: str, before: str | None, after: str | None) -> None:
    """A line in the history of the organization."""
    with in_tenant(member.tenant):
        note(verb, PLACE, named(member.user), {"role": [before, after]})


class ReadOnly(ModelAdmin):
    """Looked at, not changed; never with arguments, results or what somebody typed."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class JobsAdmin(ReadOnly):
    """Finished and failed jobs."""

    fields = list_display = ["name", "func", "started", "stopped", "attempt_count"]
    search_fields = ["name", "func"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Arguments and results are not even loaded."""
        return super().get_queryset(request).defer("args", "kwargs", "result")


class SchedulesAdmin(ReadOnly):
    """What runs by the clock."""

    fields = list_display = ["name", "func", "schedule_type", "minutes", "next_run"]


class WaitingAdmin(ReadOnly):
    """Jobs that wait. Their contents are signed blobs, which stay closed."""

    fields = list_display = ["id", "key", "lock"]


class LockoutsAdmin(ReadOnly):
    """Wrong passwords and lockouts; deleting a row lets that person try again at once."""

    actions = ["delete_selected"]
    fields = list_display = ["attempt_time", "username", "ip_address", "failures_since_start"]
    search_fields = ["username", "ip_address"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


def _register(label: str, admin_class: type[ModelAdmin]) -> None:
    model: type[Model] = apps.get_model(label)
    operators.register(model, admin_class)


_register("axes.AccessAttempt", LockoutsAdmin)
_register("django_q.Success", JobsAdmin)
_register("django_q.Failure", JobsAdmin)
_register("django_q.Schedule", SchedulesAdmin)
if not settings.Q_BROKER_URL:
    _register("django_q.OrmQ", WaitingAdmin)
