"""Find contacts by what people type: part of a name, an address, a phone number, an organization, or an id.

Everything a contact can be found by is kept as one folded text, written in the transaction of each change. The index on
it belongs to the database (`contacts/search_index.py`); without one, the same questions are asked of the texts.
"""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connections, transaction
from django.db.models import F, Q, QuerySet

from contacts import search_index, signals
from contacts.folding import BEFORE_WORD, digits_of, fold, searchable
from contacts.models import Contact, EmailAddress, OutsideIdentifier, PhoneNumber, SearchText
from contacts.models.recorded import Recorded, chunks

LOOKS_LIKE_A_PHONE = re.compile(r"[+(\d][\d\s().\-/]{3,}")
MOST_WORDS = 6
LONGEST_WORD = 300  # no field has longer ones, and databases refuse endless patterns
# So many are fetched by their keys and sorted, which costs as much as there are. More are met soon enough by going
# through the contacts in the order of the page; no database can tell the two apart from a word.
FEW = 10_000
SEARCHED = (Contact, EmailAddress, PhoneNumber, OutsideIdentifier)

Term = tuple[str, ...]  # one of these has to be in the text


# --- asking ---


def contacts_matching(contacts: QuerySet[Contact], text: str) -> QuerySet[Contact]:
    """Those in which every word is found somewhere, each once. Whatever is typed, this does not fail."""
    if not text.strip():
        return contacts
    terms = terms_of(text)
    if not terms or is_endless(terms):
        return contacts.none()
    connection = connections[contacts.db]
    found = first_found(terms, FEW + 1, connection)
    if len(found) <= FEW:
        return contacts.filter(search_index.IsOneOf(F("pk"), found))
    everybody = texts_with(terms).values("contact")
    if connection.vendor == "sqlite":
        return contacts.filter(search_index.IsAmong(F("pk"), everybody))
    return contacts.filter(pk__in=everybody)


def first_found(terms: list[Term], most: int, connection: Any) -> list[int]:
    """At most so many of the contacts that the index finds. SQLite knows no tenants in it: the caller does."""
    indexed = all(len(part) >= search_index.SHORTEST for term in terms for part in term)
    if indexed and search_index.is_asked_apart(connection):
        return search_index.ask(connection, search_index.expression(terms), most)
    return list(texts_with(terms).using(connection.alias).values_list("contact", flat=True)[:most])


def count_of(text: str) -> int | None:
    """How many of all contacts a search finds, where the texts alone tell it sooner than the contacts do."""
    terms = terms_of(text)
    if not terms or is_endless(terms):
        return None
    texts = texts_with(terms)
    connection = connections[texts.db]
    if connection.vendor == "sqlite" and len(first_found(terms, FEW + 1, connection)) <= FEW:
        return None  # it would read all texts
    return texts.count()


def is_endless(terms: list[Term]) -> bool:
    """Whether nothing can hold these."""
    return any(len(part) > LONGEST_WORD for term in terms for part in term)


def texts_with(terms: Iterable[Term]) -> QuerySet[SearchText]:
    """The texts that hold each of the terms."""
    texts = SearchText.objects.order_by()
    for term in terms:
        one_of = Q()
        for part in term:
            one_of |= Q(text__contains=part)
        texts = texts.filter(one_of)
    return texts


def terms_of(text: str) -> list[Term]:
    """What has to be there: a phone number is one term however it is spaced, everything else goes word by word."""
    if is_a_phone(text.strip()):
        return [(digits_of(text),)] if len(text.split()) > 1 else [phone_or_word(text.strip())]
    words = fold(text[: 40 * LONGEST_WORD]).split()[:MOST_WORDS]
    return [phone_or_word(word) if is_a_phone(word) else (beginning(word),) for word in words]


def is_a_phone(text: str) -> bool:
    """Digits as numbers are written, and enough of them."""
    return len(text) < LONGEST_WORD and bool(LOOKS_LIKE_A_PHONE.fullmatch(text)) and len(digits_of(text)) >= 3


def phone_or_word(word: str) -> Term:
    """415-555 may be the beginning of a number, or an identifier that is written so."""
    return tuple({digits_of(word): None, fold(word): None})


def beginning(word: str) -> str:
    """One or two letters are looked for where a word begins: anywhere else they would find nearly everybody."""
    is_short = len(word) < search_index.SHORTEST and word.isascii() and word.isalnum()
    return (BEFORE_WORD + word)[-search_index.SHORTEST :] if is_short else word


# --- writing ---


def refresh(uids: Iterable[uuid.UUID]) -> None:
    """Write the texts of these contacts of the active tenant, as they are now: a fixed number of queries for 500."""
    for part in chunks(dict.fromkeys(uids)):
        with transaction.atomic(savepoint=False):
            # Two who change one contact at the same moment write its text one after the other.
            contacts = Contact.objects.select_for_update(no_key=True, of=("self",)).filter(uid__in=part).order_by("pk")
            write(list(contacts.values_list("pk", "first_name", "last_name", "organization_name", "job_title",
                                            "custom_user_id")))  # fmt: skip


def fill(most: int = 5_000) -> int:
    """Write at most so many texts that are missing here, as of rows written plainly; return how many it wrote."""
    missing = Contact.objects.filter(search_text__isnull=True).order_by().values_list("uid", flat=True)
    uids = list(missing[:most])
    refresh(uids)
    return len(uids)


def write(rows: list[Any]) -> None:
    """The texts of at most 500 contacts; those that are right already are not touched."""
    pks = [pk for pk, *_ in rows]
    addresses = values_by_contact(EmailAddress.objects, pks, "address_key")
    numbers = values_by_contact(PhoneNumber.objects, pks, "number")
    identifiers = values_by_contact(OutsideIdentifier.objects, pks, "value")
    there = dict(SearchText.objects.filter(contact__in=pks).values_list("contact_id", "text"))
    new = []
    for pk, first, last, organization, title, custom_id in rows:
        names = [f"{first} {last}", organization, title]
        text = searchable(names, [*addresses[pk], custom_id, *identifiers[pk]], numbers[pk])
        if there.get(pk) != text:
            new.append(SearchText(contact_id=pk, text=text))
    SearchText.objects.bulk_create(new, update_conflicts=True, unique_fields=["contact"], update_fields=["text"])


def values_by_contact(rows: Any, pks: list[int], name: str) -> dict[int, list[str]]:
    """{contact: values} of one kind of part, in the order in which they were added."""
    found = defaultdict(list)
    for pk, value in rows.filter(contact__in=pks).order_by("pk").values_list("contact_id", name):
        found[pk].append(str(value))
    return found


def connect() -> None:
    """Keep the texts in step from now on; called once when the app is ready."""
    signals.contacts_changed.connect(on_change, dispatch_uid="contacts.search.changed")
    signals.parts_deleted.connect(on_change, dispatch_uid="contacts.search.deleted")


def on_change(sender: Any, uids: Iterable[uuid.UUID], **kwargs: Any) -> None:
    """Contacts or what hangs on them were changed; of lists, tags and the like the texts say nothing."""
    says_nothing = isinstance(sender, type) and issubclass(sender, Recorded) and sender not in (*SEARCHED, Recorded)
    if not says_nothing:
        refresh(uids)
