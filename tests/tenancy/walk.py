"""Walks every address of the staff's site with a neighbour's ids, and notes each word of theirs that it is shown."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from unittest import mock

from django.apps import apps
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from config import problems
from contacts.tenancy.models import Tenant
from tests.tenancy import fingerprint
from tests.tenancy.rows import Rows

WORD = "Qzneighbour"  # in every text of the neighbour
PART = "Qzneigh"  # what is searched for: a page may repeat it, a leak shows the whole word


@dataclass
class Address:
    """One address of the project: its pattern, its full name, and the model that an admin page is about."""

    route: str
    name: str
    params: list[str]
    model: type[models.Model] | None = None

    def url(self, **values: Any) -> str:
        """The address with these values in the place of its parameters."""
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values[match.group(1)]), self.route)


def addresses(prefix: str = "admin/", patterns: Any = None, route: str = "", space: str = "") -> Iterator[Address]:
    """Every address below the prefix, taken from the resolver; it cannot be forgotten here."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from addresses(prefix, entry.url_patterns, route + str(entry.pattern), inner)
        elif isinstance(entry, URLPattern) and isinstance(entry.pattern, RoutePattern):
            full = route + str(entry.pattern)
            if full.startswith(prefix):
                yield Address(full, f"{space}{entry.name}", re.findall(r"<(?:\w+:)?(\w+)>", full), model_of(entry))


def model_of(entry: URLPattern) -> type[models.Model] | None:
    """The model of an admin page, from its name: contacts_contact_change."""
    parts = (entry.name or "").split("_")
    for split in range(1, len(parts)):
        try:
            return apps.get_model("_".join(parts[:split]), parts[split]) if len(parts) > split else None
        except LookupError:
            continue
    return None


class Fields(HTMLParser):
    """The fields of all forms of a page with their present values, as a browser would send them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self.selects: dict[str, list[str]] = {}
        self._select = self._text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v or "" for k, v in attrs}
        name = given.get("name", "")
        if tag == "input" and name and given.get("type") not in ("checkbox", "radio", "submit", "search"):
            self.values.setdefault(name, given.get("value", ""))
        elif tag == "input" and name and "checked" in given:
            self.values[name] = given.get("value", "on")
        elif tag == "select" and name:
            self._select = name
            self.selects[name] = []
            if "multiple" not in given:
                self.values.setdefault(name, "")
        elif tag == "option" and self._select:
            self.selects[self._select].append(given.get("value", ""))
            if "selected" in given:
                self.values[self._select] = given.get("value", "")
        elif tag == "textarea" and name:
            self._text = name
            self.values[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._text = ""

    def handle_data(self, data: str) -> None:
        if self._text:
            self.values[self._text] += data.strip("\n")


@dataclass
class Walk:
    """One person's walk. `own` and `foreign` are a row of every kind here and at the neighbour's."""

    client: Client
    own: Rows
    foreign: Rows
    neighbour: Tenant
    leaks: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    answers: int = 0
    untouched: str = ""

    def __post_init__(self) -> None:
        self.untouched = fingerprint.of_tenant(self.neighbour)

    def get(self, url: str, query: dict[str, Any] | None = None, expect: set[int] | None = None) -> Any:
        """Open a page and look for the neighbour's word."""
        return self._judge(f"GET {url} {query or ''}", self.client.get(url, query or {}), expect)

    def post(self, url: str, data: dict[str, Any], expect: set[int] | None = None) -> Any:
        """Send a form; afterwards the neighbour's rows are as before, and the test's rows are put back."""
        with transaction.atomic():
            answer = self._judge(f"POST {url} {data}", self.client.post(url, data), expect)
            if fingerprint.of_tenant(self.neighbour) != self.untouched:
                self.leaks.append(f"POST {url} changed the neighbour's rows")
            # Something was saved when the answer leads elsewhere.
            if answer.status_code == 302 and (crossed := fingerprint.crossed_links()):
                self.leaks.append(f"POST {url} linked two organizations: {crossed}")
            transaction.set_rollback(True)
        return answer

    def _judge(self, what: str, answer: Any, expect: set[int] | None) -> Any:
        self.answers += 1
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        text += answer.headers.get("Location", "").encode()
        if WORD.lower() in text.decode(errors="replace").lower():
            self.leaks.append(f"{what} shows the neighbour's word")
        if answer.status_code >= 500 or (expect and answer.status_code not in expect):
            self.wrong.append(f"{what} answered {answer.status_code}")
        return answer

    @property
    def ids(self) -> list[Any]:
        """The neighbour's ids, each once: rows of several kinds have the same."""
        return sorted({row.pk for row in self.foreign.values()}, key=str)

    # --- the steps of the walk ---

    def own_pages(self) -> None:
        """Every page that can be opened, with this organization's own ids."""
        for address in addresses():
            for url in self.filled(address, self.own):
                self.wrong += [f"GET {url} has the id “{name}” twice" for name in ids_twice(self.get(url))]

    def foreign_pages(self, allowed: set[int]) -> None:
        """Every page with an id in its address, with the neighbour's id: it is not there."""
        for address in addresses():
            if not set(address.params) & {"object_id", "list_pk", "pk", "uid"}:
                continue
            for url in self.filled(address, self.foreign):
                self.get(url, expect=allowed | {405})
                self.post(url, {"post": "yes", "confirmed": "yes"}, expect=allowed | {405})

    def queries(self) -> None:
        """Change lists and forms with every parameter that names a row of the neighbour's."""
        for address in addresses():
            if address.name.endswith("_changelist"):
                self.change_list(address)
            if address.name.endswith("_add") and address.model:
                self.prefilled(address)

    def change_list(self, address: Address) -> None:
        """Search, sorting, filters of the page, and look-ups typed into the address."""
        url = address.url()
        page = self.get(url)
        names = set(Fields(page.content.decode(errors="replace")).selects) if page.status_code == 200 else set()
        looks: list[dict[str, Any]] = [
            {"q": PART}, {"o": "1"}, {"o": "-2"}, {"p": "2"}, {"all": ""}, {"e": "1"}, {"_popup": "1"},
            {"_popup": "1", "_to_field": "id"}, {"_facets": "True"}, {"tenant": self.neighbour.pk},
            {"tenant__id__exact": self.neighbour.pk}, {"tenant__name__startswith": PART},
            {"user__password__startswith": "m"}, {"user__email__startswith": PART},
        ]  # fmt: skip
        for query in looks:
            self.get(url, query)
        for name in names - {"action"}:
            for pk in self.ids:
                self.get(url, {name: pk})
        for link in relations(address.model):
            foreign = self.foreign.get(link.related_model)
            if foreign is not None:
                for look_up in ("", "__id__exact", "__in", "__pk"):
                    self.get(url, {f"{link.name}{look_up}": foreign.pk})

    def prefilled(self, address: Address) -> None:
        """`?contact=<id>` on every form that adds something."""
        for link in relations(address.model):
            if foreign := self.foreign.get(link.related_model):
                self.get(address.url(), {link.name: foreign.pk})
                self.get(address.url(), {link.name: foreign.pk, "_popup": "1", "_to_field": "id"})

    def autocompletes(self, url: str = "/admin/autocomplete/") -> None:
        """Every link of every model, asked for the neighbour's names."""
        for model in apps.get_models():
            for link in relations(model):
                for term in ("", PART):
                    self.get(
                        url,
                        {
                            "app_label": model._meta.app_label, "model_name": model._meta.model_name,
                            "field_name": link.name, "term": term,
                        },
                    )  # fmt: skip

    def forms(self) -> None:
        """Every form of our own rows, sent with the neighbour's ids in each place that takes one."""
        for address in addresses():
            if address.name.endswith(("_add", "_change")) and address.model:
                for url in self.filled(address, self.own):
                    self.form(url)

    def form(self, url: str) -> None:
        """One form: moved to the neighbour, each choice set to their row, each hidden id of a part as well."""
        page = self.get(url)
        if page.status_code != 200:
            return
        fields = Fields(page.content.decode())
        if self.post(url, fields.values).status_code == 302:
            self.accepted.append(url)  # so that a refusal below is due to the neighbour's id
        self.post(url, fields.values | {"tenant": self.neighbour.pk, "tenant_id": self.neighbour.pk})
        for name in fields.selects:
            for pk in self.ids:
                self.post(url, fields.values | {name: pk})
        for name in fields.values:
            if match := re.fullmatch(r"(\w+)-TOTAL_FORMS", name):
                self.part(url, fields.values, match.group(1))

    def part(self, url: str, values: dict[str, Any], prefix: str) -> None:
        """An inline claims the neighbour's row as one of its own, to change it or to delete it."""
        row = {k.replace("-__prefix__-", "-0-"): v for k, v in values.items() if k.startswith(f"{prefix}-__prefix__-")}
        for pk in self.ids:
            claim = values | row | {f"{prefix}-TOTAL_FORMS": "1", f"{prefix}-INITIAL_FORMS": "1", f"{prefix}-0-id": pk}
            self.post(url, claim)
            self.post(url, claim | {f"{prefix}-0-DELETE": "on"})

    def actions(self) -> None:
        """Every action on the neighbour's rows, and on ours with the neighbour's list."""
        for address in addresses():
            if not address.name.endswith("_changelist") or address.model not in self.foreign:
                continue
            url = address.url()
            page = self.get(url)
            choices = Fields(page.content.decode()).selects.get("action", []) if page.status_code == 200 else []
            for action in filter(None, choices):
                base = {"action": action, "index": "0", "confirmed": "yes"}
                for across in ("0", "1"):
                    self.post(url, base | {"_selected_action": self.foreign[address.model].pk, "select_across": across})
                for pk in self.ids:
                    chosen = {"_selected_action": self.own[address.model].pk, "contact_list": pk, "post": "yes"}
                    self.post(url, base | chosen)

    def filled(self, address: Address, rows: Rows) -> Iterator[str]:
        """The address with ids of these rows; with several parameters, also one foreign id among our own."""
        from contacts.models import ContactList, ListMembership
        from integrations.models import HookDelivery, OutgoingHook

        if not address.params:
            yield address.url()
            return
        fixed = {
            "provider": "mailchimp",
            "app_label": "contacts",
            "uidb64": "MQ",
            "token": "x-y",
            "url": "x",
            "key": "x",
        }
        if "object_id" in address.params and address.model in rows:
            yield address.url(**fixed, object_id=rows[address.model].pk)
        elif "list_pk" in address.params:
            for whose in ({"list_pk": rows, "pk": rows}, {"list_pk": self.own, "pk": rows}):
                yield address.url(
                    list_pk=whose["list_pk"][ContactList].pk, pk=whose["pk"][ListMembership].pk
                )  # fmt: skip
                if "pk" not in address.params:
                    break
        elif "delivery" in address.params:
            for hooks in (rows, self.own):
                yield address.url(uid=hooks[OutgoingHook].uid, delivery=rows[HookDelivery].uid)
        elif "uid" in address.params:
            for row in rows.values():
                if hasattr(row, "uid"):
                    yield address.url(**fixed, uid=row.uid)
        elif set(address.params) <= set(fixed):
            yield address.url(**fixed)


@contextmanager
def drawn_once() -> Iterator[None]:
    """“Not there” is one page a thousand times, whatever was asked for: it is drawn once, and said from then on."""
    draw, drawn = problems._problem, set()

    def said(request: HttpRequest, *what: Any) -> HttpResponse:
        if what not in drawn:
            drawn.add(what)
            return draw(request, *what)
        status, title, sentence = what
        return HttpResponse(f"{title}: {sentence}", status=status)

    with mock.patch.object(problems, "_problem", said):
        yield


def ids_twice(answer: Any) -> list[str]:
    """Names that several things of one page have as their id: a label then belongs to the wrong field."""
    if answer.streaming or b"<html" not in answer.content:
        return []
    text = re.sub(r"<(script|template)\b.*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    counted = Counter(re.findall(r"""<[a-z][^>]*?\sid=["']([^"']+)""", text))
    return [name for name, count in counted.items() if count > 1]


def relations(model: type[models.Model] | None) -> list[Any]:
    """The links of a model to other rows."""
    return [f for f in model._meta.get_fields() if isinstance(f, models.ForeignKey)] if model else []
