"""What a contact can be found by, as one folded text: kept in the transaction of every change, so that search reads
one index instead of five tables."""

from django.db import models

from contacts.models.contact import Contact
from contacts.tenancy.models import TenantOwned


class SearchText(TenantOwned):
    """Names, addresses, phone numbers and identifiers of one contact, without accents and case, one a line.

    Each database has its own index of letter triples on it (migration 0003); `contacts/search.py` writes and asks.
    """

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="search_text")
    text = models.TextField()

    class Meta(TenantOwned.Meta):
        pass

    def __str__(self) -> str:
        return self.text.partition("\n")[0]
