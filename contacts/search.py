"""Find contacts by what people type: part of a name, an address, a phone number, an organization, or an id."""

import re

from django.db.models import Q, QuerySet

from contacts.models import Contact, EmailAddress, OutsideIdentifier, PhoneNumber

LOOKS_LIKE_A_PHONE = re.compile(r"[+(\d][\d\s().\-/]{3,}")
MOST_WORDS = 6


def contacts_matching(contacts: QuerySet[Contact], text: str) -> QuerySet[Contact]:
    """Those in which every word is found somewhere. Related rows are asked in sub-queries, so nobody comes twice."""
    text = text.strip()
    if not text:
        return contacts
    if LOOKS_LIKE_A_PHONE.fullmatch(text):
        digits = re.sub(r"\D", "", text).lstrip("0")
        by_phone = Q(pk__in=PhoneNumber.objects.filter(number__contains=digits).values("contact"))
        return contacts.filter(by_phone | by_identifier(text))
    for word in text.split()[:MOST_WORDS]:
        contacts = contacts.filter(by_word(word))
    return contacts


def by_word(word: str) -> Q:
    """One word, as part of a name or address, or as a whole id."""
    if "@" in word:
        return Q(pk__in=EmailAddress.objects.filter(address_key__contains=word.lower()).values("contact"))
    return (
        Q(last_name__icontains=word)
        | Q(first_name__icontains=word)
        | Q(organization_name__icontains=word)
        | Q(pk__in=EmailAddress.objects.filter(address_key__contains=word.lower()).values("contact"))
        | by_identifier(word)
    )


def by_identifier(text: str) -> Q:
    """The id that another system knows somebody by."""
    return Q(custom_user_id=text) | Q(pk__in=OutsideIdentifier.objects.filter(value=text).values("contact"))
