"""No provider without the contract."""

import importlib

import pytest

from integrations.provider_kit.base import Can
from integrations.providers import all_providers
from tests.providers.contract import ProviderContract


@pytest.mark.parametrize("key", sorted(all_providers()))
def test_every_provider_keeps_the_contract(key: str) -> None:
    tests = importlib.import_module(f"tests.providers.test_{key}")
    if Can.PUSH_LISTS not in all_providers()[key].can:
        return  # the contract is about lists; such a provider has tests of its own all the same
    kept = [thing for thing in vars(tests).values() if isinstance(thing, type) and issubclass(thing, ProviderContract)]
    assert any(thing is not ProviderContract for thing in kept)


def test_there_are_providers() -> None:
    assert "mailchimp" in all_providers()
