"""`manage.py worker`: the background jobs of this machine, kept alive."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Runs the background jobs, and replaces the processes that run them when one dies or sticks."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stall", type=float, help="Seconds a queue may stand still before a restart.")
        parser.add_argument("--cluster", action="store_true", help="The bare cluster, for the supervisor's own use.")

    def handle(self, *args: Any, stall: float | None, cluster: bool, **options: Any) -> None:
        if cluster:
            from integrations.supervisor.cluster import run

            run()
        else:
            from integrations.supervisor.supervise import Supervisor

            Supervisor(stall=stall).run()
