"""What hangs on a contact, found from the models themselves: a kind of row added tomorrow is moved by merges as well.

A row of the contact that goes may have a twin at the one that is kept, where only one of them can stay: `key_of` says
what makes twins, `combine` what the one that stays takes over.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.encoding import force_str

from contacts.duplicates.alike import place_key
from contacts.models import (
    Contact,
    CustomValue,
    DuplicatePair,
    EmailAddress,
    ListMembership,
    PhoneNumber,
    PlaceKey,
    PostalAddress,
    SearchText,
)  # fmt: skip
from contacts.models.mobile import opted_out_at
from contacts.models.recorded import plain

# Made from the other rows, and made again by what happens to those; models of the apps above say `is_derived`.
DERIVED = (SearchText, PlaceKey, DuplicatePair)
# The worse state of one email address counts.
WORSE = [
    EmailAddress.State.OK, EmailAddress.State.BOUNCED, EmailAddress.State.INVALID, EmailAddress.State.COMPLAINED,
]  # fmt: skip


class Relation(NamedTuple):
    """A kind of row and its link to the contact."""

    model: type[models.Model]
    link: str

    @property
    def label(self) -> str:
        """The kind's name in what is kept for undoing."""
        return self.model._meta.label_lower

    @property
    def rows(self) -> Any:
        """All rows of this kind."""
        return self.model._base_manager.all()

    @property
    def is_single(self) -> bool:
        """Whether a contact has one such row at most, whatever stands in it."""
        link: Any = self.model._meta.get_field(self.link)
        return bool(link.unique)

    @property
    def has_primary(self) -> bool:
        """Whether one row of each contact is its primary one."""
        try:
            return isinstance(self.model._meta.get_field("is_primary"), models.BooleanField)
        except FieldDoesNotExist:
            return False


def relations() -> list[Relation]:
    """Every kind of row that hangs on a contact, those of the apps above and hidden ones included. What a contact has
    once at most comes last: it may follow from the other rows, which are locked and moved before."""
    found = []
    for field in Contact._meta.get_fields(include_hidden=True):
        if (field.one_to_many or field.one_to_one) and field.auto_created and not field.concrete:
            relation = Relation(field.related_model, field.field.name)  # type: ignore[arg-type,union-attr]
            if not issubclass(relation.model, DERIVED) and not getattr(relation.model, "is_derived", False):
                found.append(relation)
    return sorted(found, key=lambda relation: relation.is_single)


def relation_of(label: str) -> Relation:
    """The kind of this name."""
    return next(relation for relation in relations() if relation.label == label)


def unique_sets(relation: Relation) -> list[tuple[str, ...]]:
    """For each rule that a contact has such a row once: what else is in the rule. One about the primary row is not
    among them: which row is primary is said for itself."""
    meta = relation.model._meta
    link: Any = meta.get_field(relation.link)
    found: list[tuple[str, ...]] = [()] if link.unique else []
    found += [tuple(n for n in names if n != relation.link) for names in meta.unique_together if relation.link in names]
    for rule in meta.constraints:
        if isinstance(rule, models.UniqueConstraint) and relation.link in rule.fields and rule.condition is None:
            found.append(tuple(name for name in rule.fields if name != relation.link))
    return found


def keys_of(relation: Relation, row: Any) -> list[tuple[Any, ...]]:
    """What makes another row the twin of this one: any of these being equal."""
    if isinstance(row, PhoneNumber):
        return [(str(row.number),)]
    if isinstance(row, PostalAddress):
        rest = (row.city.casefold(), row.state.casefold(), row.country.casefold())
        return [(place_key(row.street, row.postal_code) or str(row).casefold(), *rest)]
    attnames = {f.name: f.attname for f in relation.model._meta.concrete_fields}
    return [(number, *(getattr(row, attnames[n]) for n in names)) for number, names in enumerate(unique_sets(relation))]


def combine(relation: Relation, kept: Any, gone: Any, takes_theirs: Callable[[str], bool]) -> None:
    """Give a row that stays what its twin has: nothing is lost, and of what both say the stricter counts. A model
    of an app above may say it itself, in `take_in`."""
    if take_in := getattr(kept, "take_in", None):
        take_in(gone)
        return
    if isinstance(kept, CustomValue) and takes_theirs(f"custom_{kept.field_id}"):
        kept.value, kept.number = gone.value, gone.number
    if isinstance(kept, EmailAddress):
        kept.state = max(kept.state, gone.state, key=WORSE.index)
    if isinstance(kept, ListMembership):
        kept.joined_at = min(kept.joined_at, gone.joined_at)
        kept.position = both(kept.position, gone.position, 100)
    if isinstance(kept, PhoneNumber) and kept.takes_texts != gone.takes_texts:
        kept.takes_texts = not opted_out_at(str(kept.number))
    if isinstance(kept, PhoneNumber | PostalAddress):
        kept.label = both(kept.label, gone.label, 30)
    for field in relation.model._meta.concrete_fields:
        if field.primary_key or field.name in ("tenant", relation.link, "is_primary"):
            continue
        here, there = getattr(kept, field.attname), getattr(gone, field.attname)
        if field.name == "do_not_contact" or (here in (None, "", [], {}) and there not in (None, "", [], {})):
            setattr(kept, field.attname, here or there)


def both(one: str, other: str, longest: int) -> str:
    """Two short words as one, where there is room: “Chair, Treasurer”."""
    joined = f"{one}, {other}" if one and other and other.casefold() not in one.casefold() else one or other
    return joined if len(joined) <= longest else one


def frozen(row: models.Model) -> dict[str, Any]:
    """A row as JSON holds it, complete."""
    return {f.attname: frozen_value(f, getattr(row, f.attname)) for f in row._meta.concrete_fields}


def frozen_value(field: Any, value: Any) -> Any:
    """One value as JSON holds it."""
    if value is None or isinstance(field, models.JSONField):
        return value
    return value.isoformat() if isinstance(field, models.DateTimeField) else plain(value)


def thawed(model: type[models.Model], values: dict[str, Any]) -> dict[str, Any]:
    """The values of a row as its model wants them; fields of another version of the model are left out."""
    found = {}
    for field in model._meta.concrete_fields:
        if field.attname in values:
            value = values[field.attname]
            found[field.attname] = value if isinstance(field, models.JSONField) else field.to_python(value)
    return found


def in_words(row: Any) -> str:
    """A row for a sentence: “email address ana@river.org”."""
    name = getattr(row, "contact_list", None) or row
    return f"{row._meta.verbose_name} {force_str(name)}"[:150]
