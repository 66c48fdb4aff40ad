"""What can be exported: contacts, the members of a list, the consent ledger, the history. Each says which rows are
meant, which columns there are, and how a page of rows is read."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse

from contacts.admin.history import changes_in_words
from contacts.exporting import people
from contacts.exporting.columns import Column, for_contacts, local_minute
from contacts.models import ConsentEvent, Contact, ContactList, Export, HistoryEntry
from contacts.models.export import MORE_KINDS
from contacts.search import contacts_matching
from contacts.tenancy.roles import SEE, require
from contacts.timeline import holds

OF_THE_PAGE = {"p", "o", "all", "e", "_popup", "_facets"}  # of a list page's address, says nothing about who is on it


ENDS = {"_from": " from", "_to": " to", "_has": " contains", "_none": ": not filled in"}  # of filters with boxes


class Source(ABC):
    """One thing to export, as it was asked for: `query` is the address of the list page with its search and filters,
    `chosen` are rows that were ticked there."""

    kind: str
    model: type[Model]
    noun: tuple[str, str]

    def __init__(self, request: HttpRequest, query: QueryDict, chosen: Sequence[int] = ()) -> None:
        require(request, SEE, admin.site.get_model_admin(self.model).area)  # type: ignore[attr-defined]
        self.query, self.chosen = query, list(chosen)
        self.rows, self.filters = self.find(request)

    @property
    def title(self) -> str:
        """What the log calls it."""
        return self.noun[1]

    @property
    def back(self) -> str:
        """The page it was asked for on."""
        address = reverse(f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_changelist")
        return f"{address}?{self.query.urlencode()}" if self.query else address

    def find(self, request: HttpRequest) -> tuple[QuerySet[Any], list[str]]:
        """The rows in the order of the page, and its search and filters in words."""
        if self.chosen:
            rows = self.model._default_manager.filter(pk__in=self.chosen)
            return rows, [f"{len(self.chosen):,} chosen by hand"]
        asked = HttpRequest()  # the same, as if it had come from the list page
        asked.__dict__ |= request.__dict__ | {"GET": self.query}
        try:
            page: Any = admin.site.get_model_admin(self.model).get_changelist_instance(asked)
        except IncorrectLookupParameters:
            raise Http404 from None
        return page.queryset, list(filters_in_words(page))

    @abstractmethod
    def columns(self) -> list[Column]:
        """Every column that can be chosen."""

    def read(self, pks: Sequence[int], columns: Sequence[Column], region: str) -> list[Any]:
        """These rows, as far as the columns need them, in this order; those that are gone are left out."""
        found = {row.pk: row for row in self.model._default_manager.filter(pk__in=pks).order_by()}
        return [found[pk] for pk in pks if pk in found]


def filters_in_words(page: Any) -> Any:
    """“search: ruiz”, “Do Not Contact: Yes” of a list page."""
    if page.query:
        yield f"search: {page.query}"
    for spec in page.filter_specs:
        names = {str(value): str(text) for value, text in getattr(spec, "lookup_choices", None) or ()}
        if choices := getattr(getattr(spec, "field", None), "flatchoices", None):
            names |= {str(value): str(text) for value, text in choices}
        for name, value in spec.used_parameters.items():
            value = value[0] if isinstance(value, list) and value else value
            if value not in (None, "", []):
                end = next((words for end, words in ENDS.items() if name.endswith(end)), "")
                yield f"{spec.title}{end}" + ("" if end == ENDS["_none"] else f": {names.get(str(value), value)}")


class Contacts(Source):
    """Contacts, as the page of contacts shows them."""

    kind, model, noun = Export.Kind.CONTACTS, Contact, ("contact", "contacts")

    def columns(self) -> list[Column]:
        return for_contacts()

    def read(self, pks: Sequence[int], columns: Sequence[Column], region: str) -> list[Any]:
        return people.read(pks, {part for column in columns for part in column.parts}, region)


class Members(Contacts):
    """The members of one list, as its page shows them."""

    kind, noun = Export.Kind.MEMBERS, ("member", "members")

    def find(self, request: HttpRequest) -> tuple[QuerySet[Any], list[str]]:
        number = self.query.get("list", "")
        self.contact_list = get_object_or_404(ContactList, pk=number if number.isdecimal() else 0)
        rows = Contact.objects.filter(pk__in=self.contact_list.memberships.order_by().values("contact"))
        text = self.query.get("q", "").strip()
        return contacts_matching(rows, text).order_by("last_name", "first_name", "pk"), (
            [f"search: {text}"] if text else []
        )

    @property
    def title(self) -> str:
        return f"members of {self.contact_list}"

    @property
    def back(self) -> str:
        return reverse("admin:contacts_contactlist_change", args=[self.contact_list.pk])

    def columns(self) -> list[Column]:
        return for_contacts(self.contact_list)


class Consent(Source):
    """The consent ledger, as its page shows it."""

    kind, model, noun = Export.Kind.CONSENT, ConsentEvent, ("decision", "decisions in the consent ledger")

    def columns(self) -> list[Column]:
        group = "What the ledger holds"
        return [
            Column("When", group, lambda event: local_minute(event.at)),
            Column("Decision", group, lambda event: event.get_kind_display()),
            Column("Name", group, lambda event: event.contact_name),
            Column("Email", group, lambda event: event.address),
            Column("Where it holds", group, holds),
            Column("Who decided", group, lambda event: event.actor_label),
            Column("Said by", group, lambda event: event.get_by_display()),
            Column("Source", group, lambda event: event.source),
            Column("Detail", group, lambda event: event.detail),
            Column("Almoner id", group, lambda event: event.contact_uid),
        ]


class History(Source):
    """The history, as its page shows it."""

    kind, model, noun = Export.Kind.HISTORY, HistoryEntry, ("change", "changes in the history")

    def columns(self) -> list[Column]:
        group = "What the history holds"
        return [
            Column("When", group, lambda entry: local_minute(entry.at)),
            Column("What happened", group, lambda e: f"{e.what.capitalize()} {e.get_verb_display().lower()}"),
            Column("Name", group, lambda entry: entry.label),
            Column("Changes", group, changes),
            Column("Who", group, lambda entry: entry.actor_label),
            Column("Source", group, lambda entry: entry.source),
            Column("Almoner id", group, lambda entry: entry.contact_uid or entry.list_uid),
        ]


def changes(entry: HistoryEntry) -> str:
    """“First name: An → Ana”, one a line."""
    lines = (
        (label, " → ".join(filter(None, [old, new])) if new else f"{old} (taken away)")
        for label, old, new in changes_in_words(entry)
    )
    return "\n".join(f"{label}: {value}" for label, value in lines)


SOURCES: dict[str, type[Source]] = {source.kind: source for source in (Contacts, Members, Consent, History)}


def add_source(source: type[Source], label: str) -> None:
    """Have another app's rows exported; called once, when it is ready. `label` names them in the log of exports."""
    SOURCES[source.kind] = source
    MORE_KINDS[source.kind] = label


def asked_for(request: HttpRequest, data: QueryDict) -> Source:
    """The source that an address or a form names; 404 for what is not there."""
    if (source := SOURCES.get(data.get("what", Export.Kind.CONTACTS))) is None:
        raise Http404
    query = QueryDict(data.get("query", ""), mutable=True)
    for name in OF_THE_PAGE & query.keys() - ({"o"} if source.model is Contact else set()):
        del query[name]
    chosen = [int(pk) for pk in data.getlist("pk") if pk.isdecimal() and len(pk) < 19]
    return source(request, query, chosen)
