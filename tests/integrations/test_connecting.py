"""Connect and Disconnect (L1, L3, L4, L24), over the sandbox's real log-in and Allow pages."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from contacts.models import HistoryEntry, StaffMember
from contacts.tenancy.walls import in_tenant
from integrations import connecting
from integrations.models import Alarm, Connection, Credential, Delivery, RemoteRecord, SyncRun
from integrations.sync import runs
from integrations.sync.serve import serve
from tests.factories import ContactFactory, ContactListFactory, ListMembershipFactory
from tests.fakes import control
from tests.integrations.desk import CALLBACK, CONNECT, SETUP, Desk, connect, decide, desk, leave_for, plain, said

SETTINGS = "/admin/integrations/setup/mailchimp/settings/"
DISCONNECT = "/admin/integrations/setup/mailchimp/disconnect/"
ACCOUNT = "/admin/integrations/setup/mailchimp/account/"


@pytest.fixture
def mailchimp(sandbox: Any, settings: Any) -> Any:
    """The sandbox, with our way back registered there."""
    settings.PUBLIC_URL = "http://almoner.test"
    sandbox.register_redirect("http://almoner.test" + CALLBACK)
    return sandbox


@pytest.fixture
def owner(tenant: Any, mailchimp: Any) -> Desk:
    return desk(tenant)


def the_connection(tenant: Any) -> Connection | None:
    with in_tenant(tenant):
        return Connection.objects.first()


def secret(tenant: Any) -> dict[str, Any]:
    with in_tenant(tenant):
        return Credential.objects.get().read()


def test_L1_connect_allow_and_the_card_says_connected(owner: Desk, tenant: Any, neighbour: Any) -> None:
    answer = connect(owner)
    assert answer.redirect_chain[-1][0] == SETTINGS
    assert "Connected to Mailchimp as River Trust" in said(answer)
    connection = the_connection(tenant)
    assert connection is not None
    assert (connection.state, connection.account_label) == ("setup", "River Trust")
    assert connection.connected_by == owner.user
    assert secret(tenant)["token"]
    assert "Connected, not set up yet" in owner.text(SETUP)
    assert "River Trust" in owner.text(SETUP)
    assert the_connection(neighbour) is None
    assert "Not connected" in desk(neighbour).text(SETUP)
    with in_tenant(tenant):
        entry = HistoryEntry.objects.get(what="integration")
        assert (entry.user, entry.changes) == (owner.user, {"state": ["Not connected", "Connected, not set up yet"]})


def test_L1_the_way_to_the_vendor_carries_an_unguessable_state_and_the_exact_return_address(owner: Desk) -> None:
    one, two = (parse_qs(urlsplit(leave_for(owner)).query) for _ in range(2))
    assert one["redirect_uri"] == ["http://almoner.test/integrations/mailchimp/callback/"]
    assert one["state"] != two["state"]
    assert len(one["state"][0]) >= 43


def test_L1_cancelling_leaves_not_connected_with_a_sentence(owner: Desk, tenant: Any) -> None:
    answer = owner.get(decide(leave_for(owner), decision="cancel"), follow=True)
    assert said(answer) == "Not connected: access was not allowed at Mailchimp. Nothing was changed."
    connection = the_connection(tenant)
    assert connection is not None
    assert connection.state == "not_connected"
    with in_tenant(tenant):
        assert not Credential.objects.exists()


def test_L1_an_error_of_the_vendor_leaves_not_connected_and_its_text_is_not_shown(owner: Desk, tenant: Any) -> None:
    state = parse_qs(urlsplit(leave_for(owner)).query)["state"][0]
    answer = owner.get(
        CALLBACK, {"state": state, "error": "server_error<b>", "error_description": "call 555"}, follow=True
    )
    assert said(answer).startswith("Not connected: Mailchimp reported an error")
    assert "555" not in answer.content.decode()
    assert "<b>" not in said(answer)


@pytest.mark.parametrize("code", ["", "made-up"], ids=["missing", "made up"])
def test_L1_a_code_that_is_missing_or_made_up_leaves_not_connected(owner: Desk, tenant: Any, code: str) -> None:
    state = parse_qs(urlsplit(leave_for(owner)).query)["state"][0]
    answer = owner.get(CALLBACK, {"state": state, "code": code}, follow=True)
    assert said(answer).startswith("Not connected:")
    with in_tenant(tenant):
        assert not Credential.objects.exists()


@pytest.mark.parametrize("state", ["", "forged", "x" * 5000], ids=["missing", "forged", "endless"])
def test_L1_a_forged_or_missing_state_is_refused(owner: Desk, tenant: Any, state: str) -> None:
    path = decide(leave_for(owner))
    code = parse_qs(urlsplit(path).query)["code"][0]
    answer = owner.get(CALLBACK, {"state": state, "code": code}, follow=True)
    assert "does not belong to a Connect that you started here" in said(answer)
    with in_tenant(tenant):
        assert not Credential.objects.exists()


def test_L1_a_replayed_answer_is_refused_and_harms_nothing(owner: Desk, tenant: Any) -> None:
    path = decide(leave_for(owner))
    owner.get(path, follow=True)
    before = secret(tenant)
    answer = owner.get(path, follow=True)
    assert said(answer).startswith("Not connected: this answer from Mailchimp does not belong")
    connection = the_connection(tenant)
    assert connection is not None
    assert connection.state == "setup"
    assert secret(tenant) == before


def test_L1_a_state_is_good_for_the_session_that_asked_for_it_only(owner: Desk, tenant: Any) -> None:
    """Somebody sends a colleague a link that would connect the attacker's account."""
    path = decide(leave_for(owner))
    colleague = desk(tenant)
    assert "does not belong" in said(colleague.get(path, follow=True))
    with in_tenant(tenant):
        assert not Credential.objects.exists()


def test_L1_a_state_is_good_for_the_person_who_asked_for_it_only(owner: Desk, tenant: Any) -> None:
    path = decide(leave_for(owner))
    session = owner.session
    pending = dict(session[connecting.PENDING])
    colleague = desk(tenant)
    theirs = colleague.session
    theirs[connecting.PENDING] = pending
    theirs.save()
    assert "does not belong" in said(colleague.get(path, follow=True))


def test_L1_a_state_lives_ten_minutes(owner: Desk, tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = decide(leave_for(owner))
    late = time.time() + 601
    monkeypatch.setattr(connecting.time, "time", lambda: late)
    assert "more than ten minutes" in said(owner.get(path, follow=True))
    with in_tenant(tenant):
        assert not Credential.objects.exists()


def test_L1_a_state_is_good_for_the_organization_it_was_made_in_only(
    mailchimp: Any, tenant: Any, neighbour: Any
) -> None:
    """Somebody with a place in both changes the organization in another tab while allowing access."""
    both = desk(tenant)
    desk(neighbour, user=both.user)
    chosen = both.session
    chosen["tenant"] = tenant.pk
    chosen.save()
    response = both.post(CONNECT, {"_organization": tenant.pk})
    path = decide(str(response.context["url"]))
    chosen = both.session
    chosen["tenant"] = neighbour.pk
    chosen.save()
    assert "another organization" in said(both.get(path, follow=True))
    for each in (tenant, neighbour):
        with in_tenant(each):
            assert not Credential.objects.exists()


def test_L1_whoever_lost_the_permission_meanwhile_does_not_connect(owner: Desk, tenant: Any) -> None:
    path = decide(leave_for(owner))
    with in_tenant(tenant):
        StaffMember.objects.update(role="staff")
    assert "may no longer change integrations" in said(owner.get(path, follow=True))
    with in_tenant(tenant):
        assert not Credential.objects.exists()


def test_L1_an_answer_that_comes_back_after_logging_out_leads_to_the_log_in(owner: Desk, tenant: Any) -> None:
    path = decide(leave_for(owner))
    owner.logout()
    assert owner.get(path)["Location"].startswith("/admin/login/")
    with in_tenant(tenant):
        assert not Credential.objects.exists()


def test_L1_without_an_application_key_the_card_says_who_must_do_what(owner: Desk, settings: Any) -> None:
    settings.MAILCHIMP_CLIENT_ID = ""
    words = owner.text(SETUP)
    assert "MAILCHIMP_CLIENT_ID and MAILCHIMP_CLIENT_SECRET" in words
    assert "http://almoner.test/integrations/mailchimp/callback/" in words
    assert "cannot be connected yet" in said(owner.post(CONNECT, follow=True))


def form_of(answer: Any, **changes: Any) -> dict[str, Any]:
    """What the settings page would send when somebody changes these fields."""
    form = next(group[2][0].form for group in answer.context["groups"])
    return {key: value for key, value in {**form.initial, **changes}.items() if key in form.fields}


def test_L3_the_accounts_contact_information_is_shown_for_review_and_saved(
    owner: Desk, tenant: Any, mailchimp: Any, settings: Any, live_server: Any
) -> None:
    answer = connect(owner)
    shown = form_of(answer)
    assert (shown["company"], shown["address1"], shown["city"]) == ("River Trust", "1 Mill Lane", "Portland")
    settings.PUBLIC_URL = live_server.url
    audience = next(iter(mailchimp.account("river").audiences))
    saved = owner.post(SETTINGS, form_of(answer, audience=audience, company="River Trust Inc."), follow=True)
    assert "Saved. Now press Sync" in said(saved)
    connection = the_connection(tenant)
    assert connection is not None
    assert (connection.state, connection.listen_error) == ("ready", "")
    assert connection.settings["contact"]["company"] == "River Trust Inc."
    assert connection.settings["contact"]["address1"] == "1 Mill Lane"
    hooks = mailchimp.account("river").audiences[audience].webhooks
    [hook] = hooks.values() if isinstance(hooks, dict) else hooks
    url = hook["url"] if isinstance(hook, dict) else hook.url
    key = secret(tenant)["hook_key"]
    assert url == f"{live_server.url}/hooks/mailchimp/{key}/"
    assert len(key) >= 43
    assert key not in str(connection.__dict__), "the database keeps the hash only"
    owner.post(SETTINGS, form_of(answer, audience=audience), follow=True)
    assert secret(tenant)["hook_key"] == key, "saving again keeps the address"


@pytest.mark.parametrize("vendor", ["answers", "is down"])
def test_L4_disconnect_takes_our_webhook_away_and_a_vendor_that_is_down_does_not_keep_it_from_happening(
    owner: Desk, tenant: Any, mailchimp: Any, settings: Any, live_server: Any, vendor: str
) -> None:
    answer = connect(owner)
    settings.PUBLIC_URL = live_server.url
    audience = next(iter(mailchimp.account("river").audiences))
    owner.post(SETTINGS, form_of(answer, audience=audience), follow=True)
    assert len(mailchimp.account("river").audiences[audience].webhooks) == 1
    if vendor == "is down":
        control.faults(mailchimp, {"kinds": ["500"]})
    owner.post("/admin/integrations/setup/mailchimp/disconnect/", follow=True)
    assert len(mailchimp.account("river").audiences[audience].webhooks) == (1 if vendor == "is down" else 0)
    connection = the_connection(tenant)
    assert connection is not None and connection.state == "not_connected"
    with in_tenant(tenant):
        assert not Credential.objects.exists()


def test_L24_the_settings_say_how_many_audiences_the_plan_allows_and_who_would_be_paid_for_twice(
    owner: Desk, tenant: Any, neighbour: Any
) -> None:
    for each in (tenant, neighbour):
        with in_tenant(each):
            twice = ContactFactory(first_name="Twice", last_name=f"At {each}")
            for name in ("Newsletter", "Board"):
                ListMembershipFactory(contact_list=ContactListFactory(name=name), contact=twice)
            ListMembershipFactory(contact_list=ContactListFactory(name="Paper only", synchronize=False))
    connect(owner)
    words = owner.text(SETTINGS)
    assert "Your Mailchimp plan allows 4 more audiences." in words
    assert "1 person is on more than one synchronized list, such as Twice At River Trust." in words


def test_L3_what_mailchimp_needs_and_is_missing_is_named_at_the_field(owner: Desk, tenant: Any, mailchimp: Any) -> None:
    answer = connect(owner)
    refused = owner.post(SETTINGS, form_of(answer, mode="audiences", company=""))
    assert "Mailchimp needs this to make an audience." in refused.content.decode()
    connection = the_connection(tenant)
    assert connection is not None
    assert connection.state == "setup"


def test_an_address_that_mailchimp_cannot_reach_is_no_disaster_and_can_be_tried_again(
    owner: Desk, tenant: Any, mailchimp: Any, settings: Any, live_server: Any
) -> None:
    answer = connect(owner)
    settings.PUBLIC_URL = "http://127.0.0.1:9"  # nobody answers there
    audience = next(iter(mailchimp.account("river").audiences))
    saved = owner.post(SETTINGS, form_of(answer, audience=audience), follow=True)
    assert "could not be asked to tell us at once" in said(saved)
    connection = the_connection(tenant)
    assert connection is not None
    assert connection.state == "ready"
    assert "does not tell Almoner at once" in owner.text(SETUP)
    settings.PUBLIC_URL = live_server.url
    again = owner.post("/admin/integrations/setup/mailchimp/listen/", follow=True)
    assert "now tells Almoner at once" in said(again)
    assert "does not tell Almoner at once" not in owner.text(SETUP)


def set_up(owner: Desk, tenant: Any, mailchimp: Any, state: str = "active") -> Connection:
    """Connected, reviewed, and a first Sync long over."""
    answer = connect(owner)
    audience = next(iter(mailchimp.account("river").audiences))
    owner.post(SETTINGS, form_of(answer, audience=audience), follow=True)
    with in_tenant(tenant):
        connection = Connection.objects.get()
        SyncRun.objects.create(connection=connection, state="done", confirmed_at="2026-11-01T10:00Z")
        Connection.objects.update(state=state)
        connection.refresh_from_db()
    return connection


def test_L24_settings_that_move_people_make_a_preview_and_change_nothing_yet(
    owner: Desk, tenant: Any, mailchimp: Any, django_capture_on_commit_callbacks: Any
) -> None:
    before = set_up(owner, tenant, mailchimp).settings
    page = owner.get(SETTINGS)
    with django_capture_on_commit_callbacks(execute=True):
        answer = owner.post(SETTINGS, form_of(page, mode="audiences"), follow=True)
    assert "These settings change where people are at Mailchimp" in said(answer)
    with in_tenant(tenant):
        run = SyncRun.objects.get(state="planning")
        assert run.new_settings["mode"] == "audiences"
        assert Connection.objects.get().settings == before
        assert Connection.objects.get().nudged_at, "the preview is made at once, not by the next sweep"
        SyncRun.objects.filter(pk=run.pk).update(state="running")
    other = owner.post(SETTINGS, form_of(owner.get(SETTINGS), mode="audiences", company="Other"), follow=True)
    assert "A Sync is running" in said(other)


def test_L21_with_an_audience_per_list_each_new_audience_is_listened_to(
    owner: Desk, tenant: Any, mailchimp: Any, settings: Any, live_server: Any
) -> None:
    settings.PUBLIC_URL = live_server.url
    mailchimp.register_redirect(live_server.url + CALLBACK)
    answer = connect(owner)
    owner.post(SETTINGS, form_of(answer, mode="audiences"), follow=True)
    with in_tenant(tenant):
        ListMembershipFactory(contact_list=ContactListFactory(name="Gala Friends"))
        run = runs.start(Connection.objects.get(), owner.user)
        serve(run.connection_id)
        assert runs.confirm(SyncRun.objects.get(), owner.user)
        while serve(run.connection_id):
            pass
    audience = next(a for a in mailchimp.account("river").audiences.values() if a.name == "Gala Friends")
    assert [hook["url"] if isinstance(hook, dict) else hook.url for hook in _all(audience.webhooks)] == [
        f"{live_server.url}/hooks/mailchimp/{secret(tenant)['hook_key']}/"
    ]


def _all(kept: Any) -> list[Any]:
    return list(kept.values()) if isinstance(kept, dict) else list(kept)


def test_settings_that_move_nobody_are_kept_at_once(owner: Desk, tenant: Any, mailchimp: Any) -> None:
    set_up(owner, tenant, mailchimp)
    answer = owner.post(SETTINGS, form_of(owner.get(SETTINGS)) | {"owner_address": "theirs"}, follow=True)
    assert "Saved." in said(answer)
    connection = the_connection(tenant)
    assert connection is not None
    assert connection.settings["owners"]["address"] == "theirs"


def test_L22_whose_data_count_is_chosen_field_by_field_and_earlier_choices_are_shown(
    owner: Desk, tenant: Any, mailchimp: Any
) -> None:
    connection = set_up(owner, tenant, mailchimp)
    connection.settings = {**connection.settings, "who_wins": {"address": "ours", "profile": "theirs"}}
    connection.settings.pop("owners")
    with in_tenant(tenant):
        connection.save()
    page = owner.get(SETTINGS)
    words = plain(page.content.decode())
    assert "What Mailchimp has stays there and is taken over here." in words
    assert "Only fill in what is missing" in words
    chosen = {name: field.initial for name, field in page.context["owners"].fields.items()}
    assert chosen == {"owner_address": "ours", "owner_first_name": "theirs", "owner_last_name": "theirs"}
    refused = owner.post(SETTINGS, form_of(page) | {"owner_address": "fill"})
    assert "is not one of the available choices" in plain(refused.content.decode())
    owner.post(SETTINGS, form_of(page) | {"owner_first_name": "newest", "owner_last_name": "fill"}, follow=True)
    kept = the_connection(tenant)
    assert kept is not None and "who_wins" not in kept.settings
    assert kept.settings["owners"] == {"address": "ours", "first_name": "newest", "last_name": "fill"}
    with in_tenant(tenant):
        entry = HistoryEntry.objects.filter(what="integration settings").latest("pk")
    assert entry.changes["owners first_name"] == [None, "newest"]


def test_L2_reconnecting_the_same_account_goes_on_and_loses_nothing(owner: Desk, tenant: Any, mailchimp: Any) -> None:
    connection = set_up(owner, tenant, mailchimp, state="reconnect")
    with in_tenant(tenant):
        place = ListMembershipFactory(contact_list=ContactListFactory())
        assert RemoteRecord.objects.filter(subject_uid=place.contact.uid, due_at__isnull=False).exists()
        alarm = Alarm.objects.create(tenant=tenant, connection=connection, kind="reconnect", sentence="Taken back.")
    key = secret(tenant).get("hook_key")
    answer = connect(owner)
    assert "Connected to Mailchimp again" in said(answer)
    assert "with an alarm" not in owner.text(SETUP)  # it is over at once, whenever all alarms are looked at next
    with in_tenant(tenant):
        alarm.refresh_from_db()
        assert alarm.cleared_at is not None and alarm.all_clear_at is None
    now = the_connection(tenant)
    assert now is not None
    assert (now.state, now.settings) == ("active", connection.settings)
    assert secret(tenant).get("hook_key") == key
    with in_tenant(tenant):
        assert RemoteRecord.objects.filter(subject_uid=place.contact.uid, due_at__isnull=False).exists()


def test_another_account_than_before_asks_first_and_no_changes_nothing(
    owner: Desk, tenant: Any, mailchimp: Any
) -> None:
    set_up(owner, tenant, mailchimp, state="reconnect")
    before = secret(tenant)
    answer = connect(owner, "harbor")
    assert answer.redirect_chain[-1][0] == ACCOUNT
    assert "Harbor Food Bank" in answer.content.decode()
    connection = the_connection(tenant)
    assert connection is not None
    assert (connection.state, connection.account_label) == ("reconnect", "River Trust")
    owner.post(ACCOUNT, {"answer": "no"}, follow=True)
    assert secret(tenant) == before
    assert owner.get(ACCOUNT).status_code == 302, "the offer is gone"


def test_another_account_starts_over_when_that_was_meant(owner: Desk, tenant: Any, mailchimp: Any) -> None:
    connection = set_up(owner, tenant, mailchimp, state="reconnect")
    with in_tenant(tenant):
        contact = ContactFactory()
        RemoteRecord.objects.create(connection=connection, kind="contact", subject_uid=contact.uid, effect="done")
        Delivery.objects.create(
            connection=connection, kind="contact", subject_uid=contact.uid, verb="create", outcome="done"
        )
    connect(owner, "harbor")
    answer = owner.post(ACCOUNT, {"answer": "yes"}, follow=True)
    assert answer.redirect_chain[-1][0] == SETTINGS
    now = the_connection(tenant)
    assert now is not None
    assert (now.state, now.account_label, now.settings.get("audience")) == ("setup", "Harbor Food Bank", None)
    assert "offered" not in secret(tenant)
    with in_tenant(tenant):
        assert not RemoteRecord.objects.exists(), "what was known of the other account says nothing about this one"
        assert Delivery.objects.count() == 1, "the history stays"


def test_L4_disconnect_asks_erases_the_grant_stops_pushing_and_keeps_the_history(
    owner: Desk, tenant: Any, mailchimp: Any
) -> None:
    connection = set_up(owner, tenant, mailchimp)
    with in_tenant(tenant):
        place = ListMembershipFactory(contact_list=ContactListFactory())
        Delivery.objects.create(
            connection=connection, kind="contact", subject_uid=place.contact.uid, verb="create", outcome="done"
        )
    assert "The stored key is erased" in owner.text(DISCONNECT)
    assert the_connection(tenant).state == "active", "looking at the question changes nothing"  # type: ignore[union-attr]
    answer = owner.post(DISCONNECT, follow=True)
    assert "Mailchimp is disconnected" in said(answer)
    now = the_connection(tenant)
    assert now is not None
    assert now.state == "not_connected"
    with in_tenant(tenant):
        assert not Credential.objects.exists()
        assert not RemoteRecord.objects.filter(due_at__isnull=False).exists()
        assert Delivery.objects.count() == 1
        assert HistoryEntry.objects.filter(what="integration").count() == 2
        place.contact.first_name = "Later"
        place.contact.save()
        assert not RemoteRecord.objects.filter(due_at__isnull=False).exists(), "nothing is collected for it either"
    calls = len(mailchimp.calls.since(0))
    assert serve(now.pk) is False
    assert len(mailchimp.calls.since(0)) == calls


def test_no_secret_is_on_any_page_or_in_the_session(owner: Desk, tenant: Any, mailchimp: Any) -> None:
    set_up(owner, tenant, mailchimp)
    held = secret(tenant)
    pages = [owner.get(path, follow=True).content.decode() for path in (SETUP, SETTINGS, DISCONNECT, "/admin/")]
    everything = " ".join(pages) + str(dict(owner.session))
    for value in (held["token"], held["hook_key"]):
        assert value not in everything


def test_L24_settings_and_preview_warn_when_the_plan_has_too_few_audiences(
    owner: Desk, tenant: Any, mailchimp: Any
) -> None:
    connection = set_up(owner, tenant, mailchimp)
    with in_tenant(tenant):
        for name in ("Newsletter", "Board", "Gala"):
            ListMembershipFactory(contact_list=ContactListFactory(name=name), contact=ContactFactory())
    assert "not room" not in owner.text(SETTINGS)
    mailchimp.account("river").max_instances = len(mailchimp.account("river").audiences) + 1
    page = owner.text(SETTINGS)
    assert "There is not room for every list to be an audience" in page
    assert "3 lists need an audience each, and your plan at Mailchimp allows 1 more. 2 lists would stay" in page
    moved = owner.post(SETTINGS, form_of(owner.get(SETTINGS), mode="audiences"), follow=True)
    assert "look at the preview" in said(moved)
    serve(connection.pk)
    with in_tenant(tenant):
        run = SyncRun.objects.latest("pk")
    words = owner.text(reverse("integrations:run", args=[run.uid]))
    assert "There is not room for every list" in words
    assert (
        "3 lists need an audience each, and your plan at Mailchimp allows 1 more. 2 lists stay where they are" in words
    )
    mailchimp.account("river").max_instances = -1
    owner.post(SETTINGS, form_of(owner.get(SETTINGS), mode="audiences"), follow=True)
    serve(connection.pk)
    with in_tenant(tenant):
        run = SyncRun.objects.latest("pk")
    assert "not room for every list" not in owner.text(reverse("integrations:run", args=[run.uid]))
