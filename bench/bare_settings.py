"""The settings of the bare site: our database, and nothing around the view."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.bare_site"
MIDDLEWARE: list[str] = []
ALLOWED_HOSTS = ["127.0.0.1"]
