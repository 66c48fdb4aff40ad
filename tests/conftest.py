"""What every test may ask for: two tenants, a sandbox vendor, a browser, the database's address for subprocesses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections
from factory.random import reseed_random

from contacts.tenancy import walls
from contacts.tenancy.models import Tenant
from tests.factories import TenantFactory

pytest_plugins = ["tests.browser"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What no database is behind, and what is marked `once`, comes out the same on PostgreSQL: SQLite's run has it."""
    if connections["default"].vendor == "postgresql":
        again = [item for item in items if touches_a_database(item) and not item.get_closest_marker("once")]
        config.hook.pytest_deselected(items=sorted(set(items) - set(again), key=str))
        items[:] = again


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Invented names are the same in each run: a colleague called Bell on a page without a Bell is found at once."""
    reseed_random(item.nodeid)


def touches_a_database(item: Any) -> bool:
    """Whether a test may read or write rows; pytest-django keeps all others from it."""
    return bool(item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(item.fixturenames))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite as a file, as in real life: other processes and threads can then use the same rows."""
    for name in connections:
        database = connections[name].settings_dict
        if database["ENGINE"].endswith("sqlite3"):
            database["TEST"]["NAME"] = str(tmp_path_factory.getbasetemp() / "almoner.sqlite3")


@pytest.fixture
def database_url(transactional_db: None) -> str:
    """The DATABASE_URL of the test database, for processes that a test starts; what they write is really there."""
    database = connections["default"].settings_dict
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{database['NAME']}"
    user = f"{database['USER']}:{database['PASSWORD']}".removesuffix(":")
    port = f":{database['PORT']}" if database["PORT"] else ""
    # A host that is a folder (of a socket) stands in the path.
    where = f"/{database['HOST']}" if str(database["HOST"]).startswith("/") else f"{database['HOST']}{port}"
    return f"postgres://{user}@{where}/{database['NAME']}"


@pytest.fixture
def tenant(db: None) -> Tenant:
    """The organization a test is about."""
    return TenantFactory(name="River Trust")


@pytest.fixture
def neighbour(db: None) -> Tenant:
    """Another organization, which must notice nothing."""
    return TenantFactory(name="Harbor Food Bank")


@pytest.fixture
def in_tenant(tenant: Tenant) -> Iterator[Tenant]:
    """The test runs inside `tenant`; `@pytest.mark.usefixtures("in_tenant")` does it for a whole module."""
    with walls.in_tenant(tenant):
        yield tenant


@pytest.fixture(scope="session")
def mailchimp_server() -> Iterator[Any]:
    """The sandbox Mailchimp on a port of its own, for the whole session; ask for `sandbox` instead."""
    from tests.fakes import MailchimpSandbox, running

    with running(MailchimpSandbox()) as server:
        yield server


@pytest.fixture
def sandbox(mailchimp_server: Any, settings: Any) -> Any:
    """The sandbox Mailchimp, as new, with the settings pointed at it."""
    from tests.fakes.control import reset

    reset(mailchimp_server, {})
    for name, value in sandbox_settings(mailchimp_server.url).items():
        setattr(settings, name, value)
    return mailchimp_server


def sandbox_settings(url: str) -> dict[str, Any]:
    """The settings that send Mailchimp's traffic to a sandbox on this machine."""
    import ipaddress

    return {
        "MAILCHIMP_CLIENT_ID": "almoner-sandbox",
        "MAILCHIMP_CLIENT_SECRET": "almoner-sandbox-secret",
        "MAILCHIMP_LOGIN_URL": url,
        "MAILCHIMP_API_URL": url + "/{dc}",
        "OUTGOING_PRIVATE_NETWORKS": [ipaddress.ip_network("127.0.0.0/8")],
        "BACKOFF_BASE_SECONDS": 0.05,
        "BACKOFF_MAX_SECONDS": 1.0,
    }


@pytest.fixture(scope="session")
def constant_contact_server() -> Iterator[Any]:
    """The sandbox Constant Contact on a port of its own; ask for `constant_contact` instead."""
    from tests.fakes import ConstantContactSandbox, running

    with running(ConstantContactSandbox()) as server:
        yield server


@pytest.fixture
def constant_contact(constant_contact_server: Any, settings: Any) -> Any:
    """The sandbox Constant Contact, as new, with the settings pointed at it; its 4 calls a second are switched off."""
    from tests.fakes.control import reset

    reset(constant_contact_server, {})
    constant_contact_server.options.per_second = 0
    constant_contact_server.options.activity_step_s = 0.02
    for name, value in constant_contact_settings(constant_contact_server.url).items():
        setattr(settings, name, value)
    return constant_contact_server


@pytest.fixture
def quick_activities(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's bulk work takes a moment, so its end is looked for sooner than the vendor's."""
    from integrations.providers.constant_contact import activities

    monkeypatch.setattr(activities, "POLLS", (0.05, 0.05, 0.1))


def constant_contact_settings(url: str) -> dict[str, Any]:
    """The settings that send Constant Contact's traffic to a sandbox on this machine."""
    import ipaddress

    return {
        "CONSTANT_CONTACT_CLIENT_ID": "almoner-sandbox",
        "CONSTANT_CONTACT_CLIENT_SECRET": "almoner-sandbox-secret",
        "CONSTANT_CONTACT_LOGIN_URL": f"{url}/oauth2/default/v1",
        "CONSTANT_CONTACT_API_URL": url,
        "CONSTANT_CONTACT_PER_SECOND": 0,  # not counted; the tests of the quota set a limit
        "OUTGOING_PRIVATE_NETWORKS": [ipaddress.ip_network("127.0.0.0/8")],
        "BACKOFF_BASE_SECONDS": 0.05,
        "BACKOFF_MAX_SECONDS": 1.0,
    }


@pytest.fixture(scope="session")
def donor_perfect_server() -> Iterator[Any]:
    """The sandbox DonorPerfect on a port of its own; ask for `donor_perfect` instead."""
    from tests.fakes import DonorPerfectSandbox, running

    with running(DonorPerfectSandbox()) as server:
        yield server


@pytest.fixture
def donor_perfect(donor_perfect_server: Any, settings: Any) -> Any:
    """The sandbox DonorPerfect, as new, with the settings pointed at it."""
    from tests.fakes.control import reset

    reset(donor_perfect_server, {})
    for name, value in donor_perfect_settings(donor_perfect_server.url).items():
        setattr(settings, name, value)
    return donor_perfect_server


def donor_perfect_settings(url: str) -> dict[str, Any]:
    """The settings that send DonorPerfect's traffic to a sandbox on this machine."""
    import ipaddress

    return {
        "DONOR_PERFECT_URL": url,
        "DONOR_PERFECT_PAUSE_SECONDS": 0,
        "OUTGOING_PRIVATE_NETWORKS": [ipaddress.ip_network("127.0.0.0/8")],
        "BACKOFF_BASE_SECONDS": 0.05,
        "BACKOFF_MAX_SECONDS": 1.0,
    }


@pytest.fixture
def base_dir() -> Path:
    """The project's folder."""
    return Path(django_settings.BASE_DIR)
