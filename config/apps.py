"""The app of the composition: it owns the two admin sites."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AlmonerConfig(AppConfig):
    name = "config"
    verbose_name = "Almoner"


class AlmonerAdminConfig(AdminConfig):
    """Django's admin with the staff's site as the default, so that apps keep a plain `@admin.register`."""

    default_site = "config.admin_site.StaffSite"
