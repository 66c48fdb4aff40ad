"""Half of a row of a Sync was sent when the vendor stopped answering: the other half goes out all the same (L25)."""

from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Connection, RemoteRecord, RunItem, SyncRun
from integrations.sync import runs
from integrations.sync.serve import serve
from tests.fakes import control
from tests.integrations.engine import World

pytestmark = pytest.mark.usefixtures("in_tenant")


@pytest.mark.parametrize("kind", ["429", "500", "done_unanswered"])
def test_L25_half_of_what_was_shown_of_somebody_was_sent_and_the_rest_follows(
    tenant: Any, sandbox: Any, settings: Any, kind: str
) -> None:
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 60
    world = World(tenant, sandbox, "audiences")
    one, two = world.a_list(), world.a_list("Volunteers")
    world.push()
    world.person("ana@rivermail.test", one, two)
    RemoteRecord.objects.filter(kind="contact").update(due_at=None)
    run = world.preview()
    second = max((f"list:{each.uid}", world.home(each)) for each in (one, two))[1]
    control.faults(sandbox, {"kinds": [kind], "path": second, "methods": ["POST", "PUT"]})
    runs.confirm(run, None)
    serve(world.connection.pk)
    control.faults(sandbox, {})
    Connection.objects.update(retry_at=None)
    RemoteRecord.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    world.push()
    assert world.seen("ana@rivermail.test", one) == world.seen("ana@rivermail.test", two) == "on"
    assert run.items.get().state == RunItem.State.DONE
    run.refresh_from_db()
    assert run.state == SyncRun.State.DONE
