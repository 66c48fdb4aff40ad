"""Random days against the reference model (H1): at the end the vendor holds what it must, and nobody was wronged.

Deterministic: the same seed gives the same days. ALMONER_SEED chooses another one; ALMONER_LONG=1 runs for long.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from integrations.sync import outbox, planning, pull
from tests.model.both import BothDays

LONG = os.environ.get("ALMONER_LONG") == "1"
SEED = int(os.environ.get("ALMONER_SEED", "1"))
DAYS, STEPS = (1000, 60) if LONG else (int(os.environ.get("ALMONER_DAYS", "5")), 40)


@pytest.mark.parametrize("mode", ["tags", "audiences"])
@pytest.mark.parametrize("brake_at", [pytest.param(10**6, marks=pytest.mark.once, id="brake_off"),
                                      pytest.param(0, id="brake_on")])  # fmt: skip
def test_H1_what_is_there_is_what_must_be_at_both_vendors(
    db: None, sandbox: Any, constant_contact: Any, settings: Any, mode: str, brake_at: int
) -> None:
    run_days({"sandbox": sandbox, "other_sandbox": constant_contact}, settings, mode, brake_at)


def run_days(
    sandboxes: dict[str, Any], django_settings: Any, mode: str, brake_at: int, *phases: Phase, days: int = DAYS
) -> None:
    """Let hypothesis make up days."""
    django_settings.BACKOFF_BASE_SECONDS, django_settings.BACKOFF_MAX_SECONDS = 0.0005, 0.001
    print(f"mode {mode}, seed {SEED}, {days} days of {STEPS} steps")
    bound = type(f"Days_{mode}_{brake_at}", (BothDays,), {**sandboxes, "mode": mode, "brake_at": brake_at})
    many = days if brake_at else max(2, days // 2)  # the first day is the simplest there is
    profile = settings(
        max_examples=many, stateful_step_count=STEPS, deadline=None, database=None, print_blob=True,
        suppress_health_check=list(HealthCheck), phases=phases or [Phase.generate, Phase.shrink],
    )  # fmt: skip
    run_state_machine_as_test(seed(SEED)(bound), settings=profile)


FAULTS = {
    "an opt-out there is not heard": (pull, "opted_out", lambda *_: ""),
    "an opt-out here is not sent": (planning, "_plan_off", lambda *_: None),
    "a change is lost": (outbox, "mark", lambda *_: None),
}


@pytest.mark.once
@pytest.mark.parametrize("fault", FAULTS)
def test_H1_a_planted_fault_is_found(
    db: None, sandbox: Any, constant_contact: Any, settings: Any, monkeypatch: Any, fault: str
) -> None:
    """The control: days like the others, and an engine or a provider that does one thing wrong."""
    module, name, wrong = FAULTS[fault]
    monkeypatch.setattr(module, name, wrong)
    both = {"sandbox": sandbox, "other_sandbox": constant_contact}
    with pytest.raises((AssertionError, BaseExceptionGroup)):  # hypothesis tells of several findings together
        run_days(both, settings, "tags", 10**6, Phase.generate, days=20)
