"""What a contact can be found by, as one folded text: kept in the transaction of every change, so that search reads
one index instead of five tables."""

from django.db import models

from contacts.models.contact import Contact
from contacts.tenancy.models import TenantOwned


class SearchText(TenantOwned):
    """Names, addresses, phone numbers and identifiers of one contact, without accents and case, one a line.

    Its key is the contact's own, so that what the index finds are contacts already. Each database has its own index of
    letter triples on it (`contacts/search_index.py`); `contacts/search.py` writes and asks.
    """

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="search_text", primary_key=True)
    text = models.TextField()

    class Meta(TenantOwned.Meta):
        pass

    def __str__(self) -> str:
        return " ".join(self.text.strip().partition("\n")[0].split())
