"""The staff's pages for lists and committees. Members are a table of their own below the form: there may be 100,000."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import path
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from contacts import services
from contacts.admin import members
from contacts.admin.bulk import people
from contacts.admin.filters import SynchronizeFilter
from contacts.admin.history import HistoryPage
from contacts.models import ContactList, ListMembership
from contacts.tenancy.admin import TenantAdmin

FLAG = str(ContactList._meta.get_field("synchronize").verbose_name)  # type: ignore[union-attr]


@admin.register(ContactList)
class ContactListAdmin(HistoryPage, TenantAdmin):
    """Lists and committees."""

    area = "lists"
    history_by = ("list_uid", "uid")
    list_display = ["name", "kind", "synchronized", "members"]
    list_filter = [("kind", ChoicesDropdownFilter), SynchronizeFilter]
    search_fields = ["name", "description"]
    empty_sentence = "Make a list for each newsletter, group or committee, and put contacts on it."
    search_help_text = "Name or description"
    fields = ["name", "kind", "description", "synchronize"]
    change_form_outer_after_template = "admin/contacts/list_after.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of members, counted from the index per list."""
        counted = ListMembership.objects.filter(contact_list=OuterRef("pk")).order_by().values("contact_list")
        counts = Subquery(counted.annotate(n=Count("pk")).values("n"))
        return super().get_queryset(request).annotate(members=Coalesce(counts, 0))

    @display(description=FLAG, ordering="synchronize", label={"Yes": "success"})
    def synchronized(self, contact_list: ContactList) -> str:
        return "Yes" if contact_list.synchronize else "No"

    @display(description="Members", ordering="members")
    def members(self, contact_list: Any) -> str:
        return f"{contact_list.members:,}"

    def get_urls(self) -> list[Any]:
        """The buttons of the table of members; each is a POST."""
        wrap = self.admin_site.admin_view
        ours = [
            path("<int:list_pk>/members/add/", wrap(members.add), name="contacts_contactlist_add_member"),
            path(
                "<int:list_pk>/members/<int:pk>/take-off/", wrap(members.take_off), name="contacts_contactlist_take_off"
            ),
            path("<int:list_pk>/members/<int:pk>/dnc/", wrap(members.do_not_contact), name="contacts_contactlist_dnc"),
        ]
        return ours + super().get_urls()

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj and obj.pk and request.method == "GET":
            context |= members.table(request, obj)
            context["media"] += context["add_form"].media
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_model(self, request: HttpRequest, obj: ContactList) -> None:
        services.delete_list(obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A plain warning with the count, instead of 100,000 lines."""
        sentences: list[str] = []
        count = 0
        for obj in objs:
            on_it = obj.memberships.count()
            count += on_it
            sentences.append(f"{people(on_it)} will be taken off it. The contacts themselves stay.")
            if obj.synchronize:
                sentences.append(
                    "The list is synchronized: it is deleted at every connected newsletter service too, and members "
                    "who are on no other synchronized list are switched off there."
                )
        return sentences, {"lists": len(objs), "places on it": count}, set(), []
