"""The providers, found by looking into this folder: one file each, no list to keep."""

import importlib
import pkgutil
from functools import cache
from typing import Any

from integrations.provider_kit.base import Provider


@cache
def all_providers() -> dict[str, type[Provider]]:
    """{key: provider class} of every module and package here, in the order of their labels."""
    found: dict[str, type[Provider]] = {}
    for module in pkgutil.iter_modules(__path__):
        for thing in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if isinstance(thing, type) and issubclass(thing, Provider) and thing.key:
                found[thing.key] = thing
    return dict(sorted(found.items(), key=lambda pair: pair[1].label))


def provider_for(connection: Any) -> Provider:
    """The provider of a connection, ready to call."""
    return all_providers()[connection.provider](connection)
