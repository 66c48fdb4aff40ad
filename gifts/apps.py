"""The app of gifts; it tells the app below what it has to know when contacts are deleted, merged and told about."""

from django.apps import AppConfig


class GiftsConfig(AppConfig):
    name = "gifts"
    verbose_name = "Gifts"

    def ready(self) -> None:
        from contacts import holds
        from gifts import exports, told
        from gifts.holds import hold

        holds.add_hold(hold)
        exports.connect()
        told.connect()
