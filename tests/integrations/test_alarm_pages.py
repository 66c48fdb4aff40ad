"""Alarms on the pages (L36): what needs somebody today, the card of the service, its past alarms, and a standstill."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from contacts.tenancy.walls import in_tenant
from integrations.models import Alarm, Connection, Heartbeat
from tests.factories import ConnectionFactory
from tests.integrations.desk import SETUP, Desk, desk

# The walk of tests/tenancy opens these pages on PostgreSQL, too.
pytestmark = pytest.mark.once

HOME = "/admin/"
ALARMS = "/admin/integrations/setup/mailchimp/alarms/"


@pytest.fixture
def link(tenant: Any) -> Connection:
    return ConnectionFactory(tenant=tenant, connected_at=timezone.now() - timedelta(days=1))


def raised(link: Connection, kind: str, sentence: str, **more: Any) -> Alarm:
    with in_tenant(link.tenant):
        waits = {"waiting": 12, "waiting_since": timezone.now() - timedelta(minutes=40)}
        return Alarm.objects.create(connection=link, kind=kind, sentence=sentence, **{**waits, **more})


def test_L36_an_open_alarm_stands_on_the_first_page_on_the_card_and_in_the_menu(
    tenant: Any, owner: Desk, link: Connection
) -> None:
    assert "takes no changes" not in owner.text(HOME)
    raised(link, "sending", "Mailchimp took too long to answer.")
    home = owner.text(HOME)
    assert "1 service takes no changes at the moment: Mailchimp. 12 changes wait to go out, the oldest since" in home
    card = owner.text(SETUP)
    assert "Changes do not reach Mailchimp. Mailchimp took too long to answer. 12 changes wait to go out" in card
    assert "Alarms 1 now, see all" in card
    assert "Changes do not reach Mailchimp" in desk(tenant, "viewer").text(SETUP)
    page = owner.get(HOME).content.decode()
    assert "notifications_active" in page and f'href="{SETUP}#mailchimp"' in page


def test_L36_a_reconnect_is_said_once_on_the_first_page(owner: Desk, link: Connection) -> None:
    with in_tenant(link.tenant):
        Connection.objects.update(state="reconnect", reason="It does not let us in.")
    raised(link, "reconnect", "It does not let us in.")
    home = owner.text(HOME)
    assert home.count("has to be reconnected") == 1


def test_L36_past_alarms_are_listed_with_who_was_told_and_when_it_was_over(
    tenant: Any, neighbour: Any, owner: Desk, link: Connection
) -> None:
    assert "There has been no alarm" in owner.text(ALARMS)
    began = timezone.now() - timedelta(hours=3)
    raised(
        link, "sending", "Mailchimp took too long to answer.", opened_at=began, mailed_at=began,
        cleared_at=began + timedelta(hours=2),
    )  # fmt: skip
    raised(ConnectionFactory(tenant=neighbour), "sending", "Theirs alone.")
    words = owner.text(ALARMS)
    assert "Changes do not reach Mailchimp. Mailchimp took too long to answer." in words
    assert "after about 2 hours" in words and "Theirs" not in words
    assert "Alarms None now, see past ones" in owner.text(SETUP)
    assert desk(neighbour).get("/admin/integrations/setup/constant_contact/alarms/").status_code == 404


def test_L36_a_standstill_of_the_background_work_is_shown_where_no_mail_could_tell(
    owner: Desk, link: Connection
) -> None:
    """It never ran, though something is connected; it runs; it has stopped."""
    with in_tenant(link.tenant):
        Connection.objects.update(connected_at=timezone.now() - timedelta(days=1, hours=1))
    assert "stands still for about 25 hours" in owner.text(HOME) and "has stood still for" in owner.text(SETUP)
    Heartbeat.objects.create(name="sweep", at=timezone.now() - timedelta(minutes=2))
    assert "stands still" not in owner.text(HOME) and "stood still" not in owner.text(SETUP)
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=12))
    assert "stands still for about 12 minutes" in owner.text(HOME)
    assert "the worker has to be started" in owner.text(SETUP)
