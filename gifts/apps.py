"""The app of gifts; it tells the app below what it has to know when contacts are deleted, merged and told about."""

from django.apps import AppConfig


class GiftsConfig(AppConfig):
    name = "gifts"
    verbose_name = "Gifts"

    def ready(self) -> None:
        from contacts import holds
        from contacts.api import problems
        from contacts.importing import sorts
        from contacts.tenancy import keys
        from gifts import exports, receivers, told, versions
        from gifts.api import donors, osdi
        from gifts.api.osdi import errors, hal
        from gifts.holds import hold
        from gifts.importing.sort import OfGifts

        holds.add_hold(hold)
        for scope, words in donors.SCOPES.items():
            keys.offer(scope, words)
        keys.offer(osdi.SCOPE, osdi.WORDS)
        problems.otherwise[hal.BASE] = errors.outside
        exports.connect()
        receivers.connect()
        told.connect()
        versions.connect()
        sorts.add_sort(OfGifts())
