"""The application's settings in test mode; the environment says so too, for the processes that tests start."""

import os

os.environ["MODE"] = "test"

from config.settings import *  # noqa: E402, F403
