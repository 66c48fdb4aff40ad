"""The app of thank-you tasks; it listens to gifts and tells contacts' pages what it knows."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks_app"
    verbose_name = "Thank-you tasks"

    def ready(self) -> None:
        from tasks_app import exports, receivers, told
        from tasks_app.api import opt_outs

        exports.connect()
        receivers.connect()
        opt_outs.connect()
        told.connect()
