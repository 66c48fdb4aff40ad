"""The app of the composition: it owns the two admin sites."""

from django.apps import AppConfig


class AlmonerConfig(AppConfig):
    name = "config"
    verbose_name = "Almoner"
