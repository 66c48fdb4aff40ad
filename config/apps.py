"""The app of the composition: it owns the two admin sites, and says how databases are spoken to."""

from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.backends.signals import connection_created


class AlmonerConfig(AppConfig):
    name = "config"
    verbose_name = "Almoner"

    def ready(self) -> None:
        connection_created.connect(answer_without_compiling, dispatch_uid="config.answer_without_compiling")


def answer_without_compiling(sender: Any, connection: Any, **kwargs: Any) -> None:
    """PostgreSQL would compile what it takes for a long query: the page of a large list takes thrice as long then."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET jit = off")


class AlmonerAdminConfig(AdminConfig):
    """Django's admin with the staff's site as the default, so that apps keep a plain `@admin.register`."""

    default_site = "config.admin_site.StaffSite"
