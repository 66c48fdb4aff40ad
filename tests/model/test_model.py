"""Random days against the reference model (H1): at the end the vendor holds what it must, and nobody was wronged.

Deterministic: the same seed gives the same days. ALMONER_SEED chooses another one; ALMONER_LONG=1 runs for long.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Days

LONG = os.environ.get("ALMONER_LONG") == "1"
SEED = int(os.environ.get("ALMONER_SEED", "1"))
DAYS, STEPS = (1000, 60) if LONG else (int(os.environ.get("ALMONER_DAYS", "6")), 30)


@pytest.mark.parametrize("mode", ["tags", "audiences"])
@pytest.mark.parametrize("brake_at", [10**6, 0], ids=["brake_off", "brake_on"])
def test_H1_what_is_there_is_what_must_be(db: None, sandbox: Any, settings: Any, mode: str, brake_at: int) -> None:
    run_days(sandbox, settings, mode, brake_at)


def run_days(sandbox: Any, django_settings: Any, mode: str, brake_at: int) -> None:
    """Let hypothesis make up days."""
    django_settings.BACKOFF_BASE_SECONDS, django_settings.BACKOFF_MAX_SECONDS = 0.0005, 0.001
    print(f"mode {mode}, seed {SEED}, {DAYS} days of {STEPS} steps")
    bound = type(f"Days_{mode}_{brake_at}", (Days,), {"sandbox": sandbox, "mode": mode, "brake_at": brake_at})
    many = DAYS if brake_at else max(1, DAYS // 5)
    profile = settings(
        max_examples=many, stateful_step_count=STEPS, deadline=None, database=None, print_blob=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    run_state_machine_as_test(seed(SEED)(bound), settings=profile)
