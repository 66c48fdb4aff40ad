"""Connecting with a key and the four switches (D1–D4), at staff's desk."""

import json
from typing import Any

import pytest
from django.db import connection as database

from contacts.models import HistoryEntry
from contacts.tenancy.walls import in_tenant
from integrations import switching
from integrations.models import Connection, Credential, Switch
from tests.integrations.desk import SETUP, Desk, desk, plain

KEY, SWITCHES = SETUP + "donor_perfect/key/", SETUP + "donor_perfect/switches/"
TURN, CODES = SWITCHES + "turn/", SWITCHES + "codes/"


@pytest.fixture
def owner(tenant: Any, donor_perfect: Any) -> Desk:
    return desk(tenant)


def enter(client: Desk, key: str) -> str:
    """What the page says after this key was entered."""
    answer = client.post(KEY, {"step": "key", "key": key}, follow=True)
    assert answer.status_code == 200 and key not in answer.content.decode()
    return plain(answer.content.decode())


@pytest.fixture
def connected(owner: Desk, donor_perfect: Any) -> Desk:
    assert "accepted the key" in enter(owner, donor_perfect.issued_key())
    return owner


def choose(client: Desk, code: str = "TYV") -> str:
    """Every kind of interaction gets this code."""
    answer = client.post(CODES, dict.fromkeys(("sent", "replies", "watches"), code), follow=True)
    return plain(answer.content.decode())


def turn(client: Desk, kind: str = "new_gift", to: str = "on") -> str:
    return plain(client.post(TURN, {"kind": kind, "to": to}, follow=True).content.decode())


def the(tenant: Any, model: Any) -> Any:
    with in_tenant(tenant):
        return model.objects.first()


# -- the key -------------------------------------------------------------------------------------


def test_the_page_writes_the_message_that_asks_for_a_key(owner: Desk, tenant: Any) -> None:
    assert "Press Connect" in owner.text(SETUP)
    owner.post(KEY, {"step": "letter", "client_id": "4711RT", "user": "ALMONER"})
    text = owner.text(KEY)
    for word in ("api@softerware.com", "mwarren@softerware.com", "River Trust", "client id: 4711RT", "ALMONER"):
        assert word in text
    assert "mailto:api@softerware.com?cc=mwarren%40softerware.com" in owner.get(KEY).content.decode()
    assert the(tenant, Connection).state == "not_connected" and the(tenant, Credential) is None


def test_D1_a_good_key_connects_at_once_and_a_bad_one_is_told_and_not_stored(
    owner: Desk, tenant: Any, donor_perfect: Any
) -> None:
    assert "did not accept this key, and it was not stored" in enter(owner, "A" * 120)
    assert "too short to be a key" in enter(owner, "abcdefg")
    assert the(tenant, Credential) is None
    assert "accepted the key" in enter(owner, donor_perfect.issued_key())
    assert the(tenant, Connection).state == "active"
    donor_perfect.faults = donor_perfect.faults.from_json({"kinds": ["500"]})
    assert "could not be asked just now" in enter(owner, donor_perfect.issued_key())


def test_D2_nobody_sees_a_stored_key_again(connected: Desk, tenant: Any, donor_perfect: Any) -> None:
    key = donor_perfect.issued_key()
    for path in (SETUP, KEY, SWITCHES, "/admin/", SETUP + "donor_perfect/disconnect/"):
        html = connected.get(path, follow=True).content.decode()
        assert key not in html and key[:16] not in html, path
    assert "A key is stored since" in connected.text(KEY) and "Replace the key" in connected.text(SETUP)
    with in_tenant(tenant):
        assert key not in json.dumps(list(HistoryEntry.objects.values("label", "changes")))
        assert key not in json.dumps(list(Connection.objects.values("settings", "account_label", "reason")))


def test_D3_the_key_stands_encrypted_in_the_database(connected: Desk, tenant: Any, donor_perfect: Any) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT secret FROM integrations_credential")
        stored = bytes(cursor.fetchone()[0])
    assert donor_perfect.issued_key().encode() not in stored and b"kI2Yh" not in stored
    with in_tenant(tenant):
        assert Credential.objects.get().read() == {"key": donor_perfect.issued_key()}


def test_only_owners_and_managers_enter_keys(tenant: Any, neighbour: Any, connected: Desk, donor_perfect: Any) -> None:
    for role, status in (("viewer", 403), ("staff", 403), ("manager", 200)):
        assert desk(tenant, role).get(KEY).status_code == status
    staff = desk(tenant, "staff")
    assert staff.post(KEY, {"step": "key", "key": donor_perfect.issued_key()}).status_code == 403
    assert staff.post(TURN, {"kind": "sent", "to": "on"}).status_code == 403
    assert staff.get(SWITCHES).status_code == 200 and "Turn on" not in staff.text(SWITCHES)
    assert desk(neighbour).get(SWITCHES).status_code == 404
    assert "Not connected" in desk(neighbour).text(SETUP)


def test_another_client_id_asks_whether_it_was_meant(connected: Desk, tenant: Any, donor_perfect: Any) -> None:
    connected.post(KEY, {"step": "letter", "client_id": "4711RT", "user": ""})
    enter(connected, donor_perfect.issued_key())
    choose(connected)
    turn(connected, "sent")
    connected.post(KEY, {"step": "letter", "client_id": "2208HF", "user": ""})
    answer = connected.post(KEY, {"step": "key", "key": donor_perfect.issued_key("harbor")})
    assert answer["Location"].endswith("/account/")
    connected.post(answer["Location"], {"answer": "yes"})
    assert the(tenant, Connection).account_id == "2208HF"
    assert not the(tenant, Switch).is_on, "what was meant was the account from before"


def test_a_service_without_lists_has_no_pages_about_lists(connected: Desk) -> None:
    for page in ("settings/", "sync/", "check/"):
        assert connected.post(f"{SETUP}donor_perfect/{page}").status_code == 404
    card = connected.text(SETUP)
    assert "What it does" in card
    assert connected.get(SETUP + "mailchimp/key/").status_code == 404
    assert connected.get(SETUP + "mailchimp/switches/").status_code == 404


# -- switches ------------------------------------------------------------------------------------


def test_D4_four_switches_are_off_at_first(connected: Desk, tenant: Any) -> None:
    text = connected.text(SWITCHES)
    for name in ("New gift added", "Save task sent", "Save replies", "Save watches"):
        assert name in text
    assert text.count("Turn on") == 4 and the(tenant, Switch) is None


def test_D4_a_switch_remembers_when_by_whom_and_where_things_stood(
    connected: Desk, tenant: Any, neighbour: Any, donor_perfect: Any
) -> None:
    assert "“New gift added” is on" in turn(connected)
    switch = the(tenant, Switch)
    assert switch.is_on and switch.turned_on_by_id == connected.user.pk and switch.turned_on_at
    assert switch.mark["after"] == donor_perfect.account().fixtures["last_gift"]
    assert all(gap < switch.mark["after"] for gap in switch.mark["gaps"]), "free numbers, which may be given later"
    assert "Turn off" in connected.text(SWITCHES) and the(neighbour, Switch) is None
    turn(connected)
    assert the(tenant, Switch).turned_on_at == switch.turned_on_at, "pressing again moves nothing"
    assert "is off" in turn(connected, to="off")
    assert not the(tenant, Switch).is_on
    donor_perfect.act({"as": "holder", "account": "river", "action": "add_gift", "donor": 147, "amount": 5})
    turn(connected)
    again = the(tenant, Switch)
    assert again.turned_on_at > switch.turned_on_at and again.mark["after"] == switch.mark["after"] + 1
    with in_tenant(tenant):
        changes = [entry.changes["switch"] for entry in HistoryEntry.objects.filter(changes__has_key="switch")]
    assert sorted(changes) == [["off", "on"], ["off", "on"], ["on", "off"]]


def test_D4_a_switch_whose_start_cannot_be_told_stays_off(connected: Desk, tenant: Any, donor_perfect: Any) -> None:
    donor_perfect.faults = donor_perfect.faults.from_json({"kinds": ["500"]})
    assert "stays off" in turn(connected)
    assert the(tenant, Switch) is None
    assert connected.post(TURN, {"kind": "made_up", "to": "on"}).status_code == 404


def test_D10_the_activity_code_is_chosen_from_those_in_use_there(
    connected: Desk, tenant: Any, neighbour: Any, donor_perfect: Any
) -> None:
    assert "Choose first under which activity code" in turn(connected, "sent") and the(tenant, Switch) is None
    page = connected.text(CODES)
    assert "Thank-you video sent (TYV)" in page and "FAX" not in page
    choose(connected, "FAX")
    assert switching.code_of(the(tenant, Connection), "sent") == "", "what is not offered is not taken"
    assert "Saved." in choose(connected)
    assert switching.code_of(the(tenant, Connection), "sent") == "TYV" and "TYV" in connected.text(SWITCHES)
    assert "is on" in turn(connected, "sent")
    assert desk(tenant, "staff").get(CODES).status_code == 403 and desk(neighbour).get(CODES).status_code == 404
    donor_perfect.account().database.execute("DELETE FROM dpcodes")
    assert "Add one there under Settings, Code Maintenance" in connected.text(CODES)
    donor_perfect.faults = donor_perfect.faults.from_json({"kinds": ["500"]})
    assert "could not be asked just now" in connected.text(CODES)


def test_D4_disconnect_turns_every_switch_off(connected: Desk, tenant: Any, donor_perfect: Any) -> None:
    choose(connected)
    turn(connected, "sent")
    turn(connected, "replies")
    connected.post(SETUP + "donor_perfect/disconnect/")
    with in_tenant(tenant):
        assert [switch.is_on for switch in Switch.objects.all()] == [False, False]
    assert "is not connected" in turn(connected, "watches")
    enter(connected, donor_perfect.issued_key())
    with in_tenant(tenant):
        connection = Connection.objects.get()
        assert connection.state == "active" and not switching.is_on(connection, "sent")


def test_the_pages_ask_a_fixed_number_of_questions(connected: Desk, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(30):
        connected.get(SWITCHES)
    choose(connected)
    for kind in ("new_gift", "sent", "replies", "watches"):
        assert "is on" in turn(connected, kind)
    with django_assert_max_num_queries(30):
        connected.get(SWITCHES)
