"""The app of integrations; it starts listening to the apps below."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Integrations"

    def ready(self) -> None:
        from integrations import dashboard, hooking, receivers
        from integrations.sync import broker, thanking

        receivers.connect()
        hooking.connect()
        dashboard.register()
        thanking.register()
        broker.open_gates()
