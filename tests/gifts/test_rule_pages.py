"""The pages of milestones: a rule in words, who would match, switching on, what was reached and why, streaks."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import Contact
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant
from gifts import running
from gifts.milestones import Given, reached_between
from gifts.models import Gift, MilestoneReached, MilestoneRule, RuleRun, WouldMatch
from gifts.services import record_gift, record_gifts, refund, today
from tests.factories import ContactFactory, UserFactory
from tests.gifts.rules import look, make_rule, simulate
from tests.gifts.test_pages import text
from tests.tenancy.people import logged_in, place

pytestmark = pytest.mark.django_db
LIST = "/admin/gifts/milestonerule/"
REACHED = "/admin/gifts/milestonereached/"


def typed(**values: Any) -> dict[str, Any]:
    """A form of a new rule, as a browser sends it."""
    return {
        "name": "Regulars", "kind": "number", "thresholds": "10\n25", "month": "7", "at_least": "", "campaign": "",
        "fund": "", "source": "", "action": "task", "assignee": "", "instruction": "", **values,
    }  # fmt: skip


def save(client: Client, pk: int | None = None, **values: Any) -> Any:
    return client.post(f"{LIST}{pk}/change/" if pk else f"{LIST}add/", typed(**values))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "Thank anyone who reaches 10 or 25 gifts, once for each number. One gift that reaches several is thanked "
             "for once, for the highest. The team is asked to thank them."),
        ({"kind": "since_month", "thresholds": "$1,000"},
         "Thank anyone whose giving since July reaches $1,000, once a year. The team is asked to thank them."),
        ({"kind": "total", "thresholds": "500", "at_least": "25", "campaign": "Spring", "action": "note"},
         "Thank anyone whose giving in all (counting only gifts of at least $25 and of the campaign “Spring”) reaches "
         "$500, once for each amount. They get a note by email."),
        ({"kind": "years", "thresholds": "5"},
         "Thank anyone who gives in 5 calendar years in a row, once for each number. The team is asked to thank them."),
    ],
)  # fmt: skip
def test_M1_a_rule_is_made_in_plain_words_and_read_back_as_a_sentence(
    tenant: Tenant, client: Client, values: dict[str, Any], sentence: str
) -> None:
    assert sentence in text(client, f"{LIST}in-words/", **typed(**values))
    answer = save(client, **values)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    with in_tenant(tenant):
        rule = MilestoneRule.objects.get()
        assert (rule.sentence, rule.is_on) == (sentence, False)
    assert answer["Location"] == f"{LIST}{rule.pk}/who/"
    assert sentence in text(client, LIST)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"thresholds": ""}, "This field is required."),
        ({"thresholds": "ten"}, "“ten” is no number above nothing."),
        ({"thresholds": "-1"}, "“-1” is no number above nothing."),
        ({"thresholds": "2.5"}, "“2.5” cannot be a number of gifts."),
        ({"kind": "total", "thresholds": "1e99"}, "“1e99” is no amount of money."),
        ({"source": "donor_perfect", "campaign": "Spring"}, "Gifts from DonorPerfect come without a campaign"),
        ({"source": "donor_perfect", "fund": "Boat"}, "Gifts from DonorPerfect come without a fund"),
        ({"instruction": "Call {dnor}"}, "{dnor} is nothing that is filled in."),
    ],
)
def test_M1_what_cannot_be_a_rule_is_refused_with_a_sentence(client: Client, values: dict[str, Any], why: str) -> None:
    answer = save(client, **values)
    assert answer.status_code == 200
    assert why in str(answer.context["adminform"].form.errors).replace("&#x27;", "'")


def test_T1_a_rule_asks_nobody_who_may_only_look(tenant: Tenant, client: Client) -> None:
    viewer, other = (place(UserFactory(first_name=name), tenant, role) for name, role in (
        ("Victor", Role.VIEWER), ("Stella", Role.STAFF)))  # fmt: skip
    shown = text(client, f"{LIST}add/")
    assert "Stella" in shown and "Victor" not in shown
    assert save(client, assignee=str(viewer.pk)).status_code == 200, "refused"
    assert save(client, assignee=str(other.pk)).status_code == 302


def test_D9_the_form_says_which_gifts_bear_no_campaign(client: Client) -> None:
    said = text(client, f"{LIST}add/")
    assert "Empty for every campaign. Gifts from DonorPerfect come without one." in said
    assert "Empty for every fund. Gifts from DonorPerfect come without one." in said


def test_M7_a_rule_is_switched_on_only_after_a_look_which_says_how_many_are_noted_quietly(
    tenant: Tenant, client: Client, donor: Contact
) -> None:
    with in_tenant(tenant):
        for n in range(12):
            record_gift(donor, 10, today() - timedelta(days=20 + n))
        old = ContactFactory(first_name="Olga", last_name="Old")
        for n in range(10):
            record_gift(old, 10, today() - timedelta(days=600 + n))
        rule = make_rule("number", 10, is_on=False, name="Ten")
    page = f"{LIST}{rule.pk}/who/"
    client.post(f"{LIST}{rule.pk}/on/")
    assert "Look first at who would match" in text(client, f"{LIST}{rule.pk}/change/")
    assert "See whom it would have named" in text(client, page)
    assert client.post(f"{LIST}{rule.pk}/look/")["Location"] == page
    shown = text(client, page)
    assert "1 thank-you, for 1 donor" in shown
    assert "Ana Ruiz 10 gifts" in shown
    assert "Olga Old" not in shown
    assert "2 donors have reached it until today" in shown
    client.post(f"{LIST}{rule.pk}/on/")
    assert "What 2 donors had reached before is noted quietly" in text(client, f"{LIST}{rule.pk}/change/")
    with in_tenant(tenant):
        assert [row.is_quiet for row in MilestoneReached.objects.all()] == [True, True]
        rule.refresh_from_db()
        assert rule.is_on
    client.post(f"{LIST}{rule.pk}/off/")
    assert "Off" in text(client, LIST)


def test_M7_a_rule_that_was_changed_is_looked_at_anew(tenant: Tenant, client: Client, donor: Contact) -> None:
    with in_tenant(tenant):
        rule = make_rule("number", 10, is_on=False, name="Regulars")
        simulate(rule)
    assert save(client, rule.pk, thresholds="5").status_code == 302
    client.post(f"{LIST}{rule.pk}/on/")
    assert "Look first at who would match" in text(client, f"{LIST}{rule.pk}/change/")
    with in_tenant(tenant):
        rule.refresh_from_db()
        assert (rule.thresholds, rule.version, rule.is_on) == (["5"], 2, False)


def test_M5_what_a_rule_counts_stays_while_it_is_on_whatever_a_form_sends(tenant: Tenant, client: Client) -> None:
    with in_tenant(tenant):
        rule = make_rule("number", 10, name="Regulars")
    save(client, rule.pk, kind="total", thresholds="5", name="Better name", at_least="7")
    with in_tenant(tenant):
        rule.refresh_from_db()
        assert (rule.name, rule.kind, rule.thresholds, rule.at_least) == ("Better name", "number", ["10"], None)
    assert client.post(f"{LIST}{rule.pk}/delete/", {"post": "yes"}).status_code == 403


def test_M7_the_simulation_of_a_year_is_what_the_decision_says_in_turns_of_any_size(
    tenant: Tenant, monkeypatch: Any
) -> None:
    monkeypatch.setattr(running, "BATCH", 3)
    with in_tenant(tenant):
        people: list[Contact] = [ContactFactory(email="") for _ in range(8)]
        record_gifts(
            Gift(contact=people[n % 8], amount=5 + n % 7 * 10, received_on=today() - timedelta(days=n * 11))
            for n in range(80)
        )
        other = make_rule("number", 7, 8, 9, 10, name="other")
        rule = make_rule("total", *range(50, 400, 20), is_on=False, name="this")
        run = simulate(rule)
        assert run.after is not None and run.until is not None
        expected, common = [], 0
        for one in people:
            rows = Gift.objects.filter(contact=one)
            given = [Given(g.received_on, g.pk, g.net) for g in rows]
            theirs = {g.highest.gift.on for g in reached_between(given, other.meaning(), run.after, run.until)}
            for group in reached_between(given, rule.meaning(), run.after, run.until):
                expected.append((one.pk, group.highest.key.threshold, group.highest.gift.on))
                common += group.highest.gift.on in theirs
        found = WouldMatch.objects.filter(run=run).values_list("contact", "threshold", "on")
        assert sorted(found) == sorted(expected)
        assert len(expected) > 5
        assert sum(run.overlaps.values()) == common > 0
        assert (run.donors_done, run.gifts_seen) == (8, 80)


def test_M7_a_large_organization_is_looked_at_in_the_background(
    tenant: Tenant, client: Client, donor: Contact, monkeypatch: Any
) -> None:
    from gifts import jobs, rules

    rung: list[Any] = []
    monkeypatch.setattr(jobs, "async_task", lambda *call: rung.append(call))
    monkeypatch.setattr(rules, "AT_ONCE_SECONDS", -1)
    with in_tenant(tenant):
        record_gift(donor, 10, today())
        rule = make_rule("number", 1, is_on=False, name="First")
    client.post(f"{LIST}{rule.pk}/look/")
    assert "0 of 1 donors looked at" in text(client, f"{LIST}{rule.pk}/who/") or "1 of 1 donors" in text(
        client, f"{LIST}{rule.pk}/who/"
    )
    assert "looked at" in text(client, f"{LIST}{rule.pk}/who/progress/")
    run = RuleRun.objects.with_scopes_disabled().get()
    assert run.pk in running.waiting()
    jobs.sweep()
    assert ("gifts.jobs.carry_on_run", run.pk) in rung
    while running.turn(run.pk):
        pass
    assert client.get(f"{LIST}{rule.pk}/who/progress/")["HX-Refresh"] == "true"
    assert "1 thank-you, for 1 donor" in text(client, f"{LIST}{rule.pk}/who/")
    assert running.waiting() == []


def test_M5_why_somebody_reached_it_is_said_with_the_gifts_behind_it(
    tenant: Tenant, client: Client, donor: Contact
) -> None:
    with in_tenant(tenant):
        make_rule("years", 3, name="Faithful")
        gifts = [record_gift(donor, 10 + n, date(2021 + n, 3, 1)) for n in range(3)]
        record_gift(donor, 99, date(2022, 4, 1))
        look()
        row = MilestoneReached.objects.get()
    shown = text(client, f"{REACHED}{row.pk}/change/")
    assert "3 years in a row" in shown
    assert "The first gift of each year Mar 1, 2021 $10.00 Mar 1, 2022 $11.00 Mar 1, 2023 Reached it $12.00" in shown
    assert "Ana Ruiz" in text(client, REACHED, q="ruiz", state="named")
    assert "3 years in a row" not in text(client, REACHED, state="quiet")
    card = text(client, reverse("admin:contacts_contact_change", args=[donor.pk]))
    assert "Milestone reached: 3 years in a row, with a gift of $12.00 on Mar 1, 2023" in card
    assert "Milestones Mar 1, 2023 3 years in a row Reached" in card
    with in_tenant(tenant):
        refund(gifts[0])
        look()
    assert "No longer met" in text(client, f"{REACHED}{row.pk}/change/")


def test_M4_streaks_at_risk_are_listed_and_told_on_the_first_page_in_autumn(
    tenant: Tenant, client: Client, donor: Contact, monkeypatch: Any
) -> None:
    from gifts.admin import milestone_card, streaks

    for module in (streaks, milestone_card):
        monkeypatch.setattr(module, "today", lambda: date(2026, 11, 22))
    with in_tenant(tenant):
        make_rule("years", 2, name="Faithful")
        for years, name in (((2023, 2024, 2025), "Risky"), ((2024, 2025, 2026), "Safe"), ((2023, 2025), "Gap"),
                            ((2023, 2024), "Gone")):  # fmt: skip
            one = ContactFactory(first_name=name, last_name="Donor")
            for year in years:
                record_gift(one, 10, date(year, 5, 1))
    shown = text(client, f"{LIST}at-risk/")
    assert "1 donor gave in 2025 and in the year before" in shown
    assert "Risky Donor 3 $10.00 on May 1, 2025 $30.00" in shown
    assert not {"Safe", "Gap", "Gone"} & set(shown.split())
    assert "donor who gave in the years before has not given in 2026" in text(client, "/admin/")
    monkeypatch.setattr(streaks, "today", lambda: date(2026, 9, 30))
    assert "donor who gave in the years before" not in text(client, "/admin/")


def test_pages_of_milestones_take_as_many_queries_for_many_as_for_few(
    tenant: Tenant, client: Client, donor: Contact
) -> None:
    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address).status_code == 200
        return len(caught)

    with in_tenant(tenant):
        rule = make_rule("number", 1, name="First")
        make_rule("total", 5, name="Five")
        record_gift(donor, 500, today() - timedelta(days=400))
        record_gift(ContactFactory(), 500, today())
        look()
        off = make_rule("total", 1, is_on=False, name="Off")
        simulate(off)
        row = MilestoneReached.objects.get(rule=rule, contact=donor)
    pages = [
        LIST, f"{LIST}{rule.pk}/change/", f"{LIST}add/", f"{LIST}{off.pk}/who/", f"{LIST}at-risk/", REACHED,
        f"{REACHED}{row.pk}/change/", reverse("admin:contacts_contact_change", args=[donor.pk]),
    ]  # fmt: skip
    with in_tenant(tenant):
        record_gift(donor, 500, date(today().year - 1, 1, 1))
        record_gift(donor, 500, date(today().year - 2, 1, 1))
    few = [queries(page) for page in pages]
    with in_tenant(tenant):
        for n in range(12):
            make_rule("number", n + 2, name=f"Rule {n}")
        others = Contact.objects.bulk_create([Contact(first_name=f"P{n}") for n in range(140)])
        year = today().year
        record_gifts(
            Gift(contact=one, amount=10, received_on=date(year - 1 - n % 3, 1 + n, 1))
            for one in [*others[:70], donor] for n in range(6)
        )  # fmt: skip
        record_gifts(Gift(contact=one, amount=10, received_on=today()) for one in others[70:])
        look()
        simulate(off)
    assert [queries(page) for page in pages] == few
    assert max(few[:-1]) <= 15


def test_managers_change_rules_staff_see_them_and_a_neighbour_sees_nothing(
    tenant: Tenant, neighbour: Tenant, donor: Contact
) -> None:
    with in_tenant(tenant):
        rule = make_rule("number", 1, name="Our own rule")
        record_gift(donor, 10, today())
        look()
        row = MilestoneReached.objects.get()
    staff, manager, stranger = (
        logged_in(tenant, Role.STAFF), logged_in(tenant, Role.MANAGER), logged_in(neighbour),
    )  # fmt: skip
    pages = [f"{LIST}{rule.pk}/change/", f"{LIST}{rule.pk}/who/", f"{REACHED}{row.pk}/change/"]
    posts = [f"{LIST}{rule.pk}/{verb}/" for verb in ("on", "off", "look")]
    assert {staff.get(page).status_code for page in [LIST, REACHED, *pages]} == {200}
    assert {staff.post(page).status_code for page in posts} == {403}
    assert save(staff).status_code == 403
    assert {stranger.get(page).status_code for page in pages} == {404}
    assert {stranger.post(page).status_code for page in posts} == {404}
    assert "Our own rule" not in text(stranger, LIST)
    assert "Ana Ruiz" not in text(stranger, REACHED)
    assert {manager.get(page).status_code for page in posts} == {405}
    assert save(manager, name="Another").status_code == 302
