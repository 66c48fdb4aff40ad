"""The app of integrations; it starts listening to the apps below."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Integrations"

    def ready(self) -> None:
        from integrations import dashboard, receivers
        from integrations.sync import broker

        receivers.connect()
        dashboard.register()
        broker.open_gates()
