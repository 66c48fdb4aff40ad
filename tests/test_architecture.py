"""The tree is the architecture: what may import what, whose rows these are, and files that can be read in one go."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from contacts.tenancy.models import TenantOwned

ROOT = Path(__file__).resolve().parent.parent
# What stands further down may be imported, what stands further up may not.
FLOORS = ["contacts", "gifts", "tasks_app", "integrations", "config"]
# Inside integrations, from the ground up; modules that are not named are on the top floor.
INSIDE = [
    ["keyring", "words", "alarm_words", "undo_words", "gift_words", "supervisor.identity"],
    ["fields", "provider_kit"],
    ["providers"],
    ["models"],
    ["sync"],
    ["jobs", "supervisor"],
]
TOP = len(INSIDE)
# Exactly these may name these libraries.
ONLY = {
    "requests": {"integrations/provider_kit/http.py"},
    "django_q": {
        "contacts/jobs.py",
        "gifts/jobs.py",
        "tasks_app/jobs.py",
        "integrations/jobs.py",
        "integrations/supervisor/cluster.py",
        "integrations/supervisor/queue.py",
        "integrations/supervisor/schedules.py",
        "integrations/supervisor/supervise.py",
    },
}
# These belong to the installation; every other row of ours belongs to one organization.
GLOBAL = {
    "contacts.Tally", "contacts.Tenant", "contacts.User", "integrations.Heartbeat", "integrations.Quota",
    "integrations.QuotaShare",
}  # fmt: skip


def sources(*folders: str) -> list[Path]:
    return [p for f in folders for p in sorted((ROOT / f).rglob("*.py")) if "migrations" not in p.parts]


def imported(path: Path) -> Iterator[str]:
    """Every module that a file names, wherever in it; `from a import b` names a.b."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def climbs(app: str, names: Iterator[str]) -> list[str]:
    """The imports that go up from this app."""
    above = FLOORS[FLOORS.index(app) + 1 :]
    return [name for name in names if name.partition(".")[0] in above]


def floor_inside(module: str) -> int:
    """The floor of a module of integrations, named without `integrations.`; the most exact name decides."""
    found = [
        (len(name), level)
        for level, names in enumerate(INSIDE)
        for name in names
        if module == name or module.startswith(name + ".")
    ]
    return max(found)[1] if found else TOP


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("app", FLOORS)
def test_imports_between_apps_never_go_up(app: str) -> None:
    assert {str(p.relative_to(ROOT)): up for p in sources(app) if (up := climbs(app, imported(p)))} == {}


def test_control_an_import_that_climbs_is_seen() -> None:
    assert climbs("contacts", iter(["integrations.jobs", "contacts.models", "integrational"])) == ["integrations.jobs"]


def test_imports_inside_integrations_never_go_up() -> None:
    up = []
    for path in sources("integrations"):
        mine = module_of(path).removeprefix("integrations").removeprefix(".")
        for name in imported(path):
            theirs = name.removeprefix("integrations.")
            if name.startswith("integrations.") and floor_inside(theirs) > floor_inside(mine) < TOP:
                up.append(f"{mine} imports {theirs}")
    assert up == []


def test_control_floors_inside_integrations_are_told_apart() -> None:
    assert floor_inside("provider_kit.base") < floor_inside("models.remote") < floor_inside("sync.push")
    assert floor_inside("supervisor.identity.holder") < floor_inside("sync") < floor_inside("supervisor.queue")
    assert floor_inside("views.setup") == floor_inside("receivers") == TOP


def test_nothing_that_runs_imports_the_tests() -> None:
    assert [p for p in sources(*FLOORS) if any(name.partition(".")[0] == "tests" for name in imported(p))] == []


@pytest.mark.parametrize("library", sorted(ONLY))
def test_a_library_stays_in_its_files(library: str) -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in sources(*FLOORS)
        if any(name.partition(".")[0] == library for name in imported(path))
    }
    assert users == ONLY[library]


def ours() -> list[type[models.Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in FLOORS]


def test_every_row_belongs_to_one_organization_or_is_known_to_be_everybodys() -> None:
    unowned = {model._meta.label for model in ours() if not issubclass(model, TenantOwned)}
    # Django's own tables between users and their permissions come with the user model.
    assert {label for label in unowned if not label.startswith("contacts.User_")} == GLOBAL


def test_no_manager_of_an_owned_row_lets_another_organization_through(db: Any) -> None:
    from django_scopes.exceptions import ScopeError

    for model in ours():
        if issubclass(model, TenantOwned):
            assert model._meta.base_manager_name == "objects", model
            for manager in (model._default_manager, model._base_manager, *model._meta.managers):
                with pytest.raises(ScopeError):
                    list(manager.all())


def test_files_can_be_read_in_one_go() -> None:
    long = {str(p.relative_to(ROOT)): n for p in sources(*FLOORS, "tests/fakes", "bench") if (n := lines(p)) > 400}
    assert long == {}


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_every_module_says_what_it_is_for() -> None:
    silent = [p for p in sources(*FLOORS, "tests", "bench") if p.read_text().strip()]
    assert [str(p.relative_to(ROOT)) for p in silent if not ast.get_docstring(ast.parse(p.read_text()))] == []
