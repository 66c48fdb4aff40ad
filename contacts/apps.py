"""The app of contacts; it keeps the wall between tenants standing in the database as well, and search in step."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate, pre_migrate


class ContactsConfig(AppConfig):
    name = "contacts"
    verbose_name = "Contacts"

    def ready(self) -> None:
        from contacts import search, search_index
        from contacts.duplicates import receivers as duplicates
        from contacts.importing import of_contacts, sorts
        from contacts.tenancy import triggers

        register(triggers.check_wall, Tags.database)
        pre_migrate.connect(triggers.before_migrations, sender=self, dispatch_uid="contacts.walls_down")
        post_migrate.connect(triggers.after_migrations, sender=self, dispatch_uid="contacts.walls_up")
        register(search_index.check_index, Tags.database)
        post_migrate.connect(search_index.after_migrations, sender=self, dispatch_uid="contacts.search_index")
        sorts.add_sort(of_contacts.OfContacts())
        search.connect()
        duplicates.connect()
