"""The app of thank-you tasks."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks_app"
    verbose_name = "Thank-you tasks"
