"""A row of every kind that a tenant can own, made from the models themselves: a model added tomorrow is covered."""

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone
from phonenumber_field.modelfields import PhoneNumberField

from contacts.models import Contact, SearchText
from contacts.tenancy.models import Tenant, TenantOwned, User
from contacts.tenancy.walls import in_tenant
from gifts.models import Donor, Gift, Giving
from tests.factories import UserFactory

Rows = dict[type[models.Model], Any]
# Texts that name something there is, and states in which a row is shown.
REAL = {"BulkChange.verb": "add_tag", "Import.kind": "contacts", "BackgroundCall.state": "failed"}


def owned_models() -> Iterator[type[TenantOwned]]:
    """Every model whose rows belong to a tenant."""
    for model in apps.get_models():
        if issubclass(model, TenantOwned):
            yield model


def fill(tenant: Tenant, word: str) -> Rows:
    """One row of every kind in this tenant; every text in it contains `word`."""
    user = UserFactory(email=f"{word}.member@rivermail.test", first_name=word, last_name=word)
    rows: Rows = {User: user}
    with in_tenant(tenant):
        for model in owned_models():
            row_of(model, rows, tenant, word)
    return rows


def row_of(model: type[Any], rows: Rows, tenant: Tenant, word: str) -> Any:
    """The row of this kind, made on demand together with those it points to."""
    if model is Tenant:
        return tenant
    if model is SearchText:  # it came with the contact
        rows[model] = row_of(Contact, rows, tenant, word).search_text
    if model in (Giving, Donor):  # it came with the gift
        rows[model] = model.objects.get(contact=row_of(Gift, rows, tenant, word).contact_id)
    if model not in rows:
        values = {
            field.name: value
            for field in model._meta.concrete_fields
            if not field.primary_key and (value := value_for(field, rows, tenant, word)) is not None
        }
        rows[model] = model.objects.create(**values)
    return rows[model]


def sample(name: str, word: str) -> Any:
    """JSON as the pages expect it, with the word in each text; a field unknown here gets a plain object."""
    member = {
        "address": f"{word.lower()}@rivermail.test", "standing": "subscribed", "fields": {"FNAME": word}, "lists": [],
        "remote_id": word, "ours": True,
    }  # fmt: skip
    brake = {str(uuid.uuid4()): [word, 30, 40]}
    return {
        "HistoryEntry.changes": {"first_name": [None, word]},
        "Connection.settings": {},
        "Connection.brake": brake,
        "SyncRun.removals": brake,
        "SyncRun.counts": {"create": 1},
        "RunItem.operations": [{"verb": "create", "container": word, "before": None, "after": member}],
        "RemoteRecord.known": {"containers": {word: member}},
        "CustomField.choices": [word],
        "Import.columns": [{"header": word, "field": "first_name"}],
        "Import.counts": {"create": 1},
        "ImportRow.cells": [word],
        "ImportRow.changes": {"first_name": [None, word]},
        "ImportRow.warnings": [word],
        "DuplicatePair.reasons": [["email", word]],
        "DuplicateSearch.too_many": [["email", word, 30]],
        "Export.columns": [word],
        "BulkChange.contact_pks": [],
        "Delivery.before": member,
        "Delivery.after": member,
        "MilestoneRule.thresholds": ["10"],
        "MilestoneReached.gifts_behind": [],
        "RuleRun.overlaps": {},
        "Donation.recipients": [{"display_name": word, "amount": "3.00"}],
        "BackgroundCall.given": {"person": {"given_name": word}},
    }.get(name, {word: word})


def value_for(field: Any, rows: Rows, tenant: Tenant, word: str) -> Any:
    """Something that fits the field; texts carry the word where there is room."""
    if field.name == "second":  # a pair is two
        return Contact.objects.create(first_name=word, last_name=word)
    if isinstance(field, models.ForeignKey):
        if field.remote_field.model is field.model:  # one of its own kind, which nothing has to have
            return None
        if f"{field.model.__name__}.{field.name}" == "Reason.note":  # it is of a thank-you or of a note
            return None
        return row_of(field.remote_field.model, rows, tenant, word)
    if f"{field.model.__name__}.{field.name}" in REAL:
        return REAL[f"{field.model.__name__}.{field.name}"]
    if isinstance(field, PhoneNumberField):
        return "+14155550100"
    if field.choices:
        return next(iter(dict(field.flatchoices)))
    if isinstance(field, models.EmailField):
        return f"{word}@rivermail.test"
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.CharField | models.TextField):
        return f"{word} {field.name}"[: field.max_length]
    if isinstance(field, models.JSONField):
        return sample(f"{field.model.__name__}.{field.name}", word)
    if isinstance(field, models.DateField):
        return timezone.now() if isinstance(field, models.DateTimeField) else timezone.now().date()
    if isinstance(field, models.DecimalField) and not field.has_default():
        return Decimal(100)
    if isinstance(field, models.IntegerField) and not field.has_default():
        return 1
    return None
