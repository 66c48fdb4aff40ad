"""The work of an import in the background: killed at any moment, repeated, raced, and taken back."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts import jobs, services, signals, standing
from contacts.importing import deciding, keeping, steps, turns, undoing, writing
from contacts.importing.turns import turn
from contacts.models import (
    ConsentEvent,
    Contact,
    ContactList,
    CustomField,
    EmailAddress,
    HistoryEntry,
    Import,
    ImportKey,
    ImportPiece,
    ImportRow,
    ListMembership,
    OutsideIdentifier,
    PostalAddress,
    Tag,
    Tenant,
)
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import in_tenant as inside
from tests.contacts.import_desk import checked, imported, outcomes, picture, row, taken_back, user, work
from tests.factories import ContactFactory, ContactListFactory, EmailAddressFactory, ListMembershipFactory
from tests.tenancy import fingerprint

pytestmark = [pytest.mark.django_db]
HEAD = "First,Last,Email,Phone,Street,City,Tags,Member No\n"


def crowd(count: int, start: int = 0) -> str:
    """So many people, each with everything."""
    return HEAD + "".join(
        f"Ana{n},Ruiz{n},ana{n}@rivermail.test,(415) 555-{n:04d},{n} Mill Lane,Portland,vip,M{n}\n"
        for n in range(start, start + count)
    )


# --- in turns ---


@pytest.mark.usefixtures("in_tenant")
def test_work_is_done_in_turns_that_each_begin_where_the_last_one_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "BATCH", 3)
    data_import = checked(crowd(10))
    steps.confirm(data_import, user())
    seen = []
    while turn(data_import.pk, seconds=0):
        data_import.refresh_from_db()
        seen.append((data_import.rows_done, Contact.objects.count()))
    assert seen == [(3, 3), (6, 6), (9, 9), (10, 10)]
    data_import.refresh_from_db()
    assert (data_import.state, data_import.token, data_import.counts["create"]) == (Import.State.DONE, "", 10)


@pytest.mark.usefixtures("in_tenant")
def test_nobody_else_works_on_it_meanwhile_and_a_lost_turn_is_taken_over() -> None:
    data_import = checked(crowd(2))
    steps.confirm(data_import, user())
    hold = turns.Hold.take(data_import.pk)
    assert hold is not None
    assert turns.Hold.take(data_import.pk) is None
    assert not turn(data_import.pk)
    Import.objects.filter(pk=data_import.pk).update(beat_at=timezone.now() - turns.LOST_AFTER * 2)
    assert data_import.pk in turns.waiting()
    work(data_import)
    assert data_import.state == Import.State.DONE
    with pytest.raises(turns.TurnLost), hold.batch():
        pass  # whoever was thought dead writes nothing any more


@pytest.mark.usefixtures("in_tenant")
def test_the_sweep_rings_for_what_a_lost_job_left_lying(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[Any] = []
    monkeypatch.setattr(jobs, "async_task", lambda *call: rung.append(call))
    data_import = checked(crowd(1))
    steps.confirm(data_import, user())
    jobs.sweep()
    assert ("contacts.jobs.carry_on_import", data_import.pk) not in rung  # it was rung for a moment ago
    Import.objects.filter(pk=data_import.pk).update(beat_at=timezone.now() - turns.SILENT_AFTER * 2)
    jobs.sweep()
    assert ("contacts.jobs.carry_on_import", data_import.pk) in rung
    jobs.carry_on_import(data_import.pk)
    data_import.refresh_from_db()
    assert data_import.state == Import.State.DONE


@pytest.mark.usefixtures("in_tenant")
@pytest.mark.parametrize("phase", ["check", "apply", "undo"])
def test_a_batch_that_breaks_off_anywhere_leaves_nothing_behind_and_is_repeated(
    monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    monkeypatch.setattr(turns, "BATCH", 4)
    before = picture()
    data_import = checked(crowd(1))
    steps.cancel(data_import)

    class Killed(BaseException):
        """No `except` of ours takes it for a failure of its own, as none sees a kill."""

    def break_off(owner: Any, name: str, times: int = 2) -> None:
        """The function does its work, and then the process is gone, before the transaction is committed."""
        done, left = getattr(owner, name), [times]

        def breaking(*args: Any, **kwargs: Any) -> Any:
            found = done(*args, **kwargs)
            if left[0]:
                left[0] -= 1
                raise Killed
            return found

        monkeypatch.setattr(owner, name, breaking)

    def go(data_import: Import) -> Import:
        for _ in range(40):
            try:
                work(data_import)
                return data_import
            except Killed:
                Import.objects.filter(pk=data_import.pk).update(beat_at=timezone.now() - turns.LOST_AFTER * 2)
        raise AssertionError("It never came to its end.")

    from tests.contacts.import_desk import uploaded

    data_import = uploaded(crowd(10))
    if phase == "check":
        break_off(turns, "check_batch")
    steps.match(data_import, [one["field"] for one in data_import.columns], {})
    assert go(data_import).state == Import.State.READY
    assert data_import.counts["create"] == data_import.rows_done == 10
    if phase == "apply":
        break_off(turns, "apply_rows")
    steps.confirm(data_import, user())
    assert go(data_import).state == Import.State.DONE
    assert (Contact.objects.count(), EmailAddress.objects.count(), data_import.counts["create"]) == (10, 10, 10)
    added = HistoryEntry.objects.filter(what="contact", verb="added")
    assert (added.count(), added.values("contact_uid").distinct().count()) == (10, 10)
    if phase == "undo":
        break_off(undoing, "write")
    steps.look_back(data_import)
    go(data_import)
    steps.take_back(data_import, user())
    assert go(data_import).state == Import.State.UNDONE
    assert picture() == before


def test_killed_with_signal_9_in_mid_import_nobody_is_doubled_or_lost(
    database_url: str, tenant: Tenant, neighbour: Tenant, base_dir: Path
) -> None:
    with inside(tenant):
        data_import = checked(crowd(400))
        steps.confirm(data_import, user())
    untouched = fingerprint.of_tenant(neighbour)
    program = (
        "import django; django.setup()\n"
        "from contacts.importing import turns\n"
        "turns.BATCH = 10\n"
        f"while turns.turn({data_import.pk}): pass\n"
    )
    environment = os.environ | {
        "MODE": "test", "DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": str(base_dir),
    }  # fmt: skip
    killed_at = []
    for more in (20, 60):
        process = subprocess.Popen([sys.executable, "-c", program], cwd=base_dir, env=environment)
        until = time.monotonic() + 60
        with inside(tenant):
            wanted = Import.objects.get(pk=data_import.pk).rows_done + more
            while Import.objects.get(pk=data_import.pk).rows_done < wanted and time.monotonic() < until:
                time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL  # it had not come to its end by itself
        with inside(tenant):
            Import.objects.filter(pk=data_import.pk).update(beat_at=timezone.now() - turns.LOST_AFTER * 2)
            killed_at.append(Import.objects.get(pk=data_import.pk).rows_done)
            assert Contact.objects.count() == killed_at[-1]
    assert 0 < killed_at[0] < killed_at[1] < 400
    with inside(tenant):
        work(data_import)
        assert data_import.state == Import.State.DONE
        assert data_import.counts["create"] == 400
        assert Counter(EmailAddress.objects.values_list("address", flat=True)).most_common(1)[0][1] == 1
        assert Contact.objects.count() == EmailAddress.objects.count() == 400
        assert ImportRow.objects.filter(data_import=data_import, state=ImportRow.State.DONE).count() == 400
    assert fingerprint.of_tenant(neighbour) == untouched


@pytest.mark.usefixtures("in_tenant")
def test_a_row_that_the_database_refuses_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    data_import = checked(crowd(7))
    steps.confirm(data_import, user())
    write = writing.write

    def refusing(changed: Any) -> Any:
        changed = list(changed)
        if any(changes.get("last_name", ["", ""])[1] == "Ruiz3" for _, changes in changed):
            raise IntegrityError("as when somebody took the same identifier in this moment")
        return write(changed)

    monkeypatch.setattr(writing, "write", refusing)
    work(data_import)
    assert data_import.state == Import.State.DONE
    assert outcomes(data_import) == ["create"] * 3 + ["refused"] + ["create"] * 3
    assert (data_import.counts["create"], data_import.counts["refused"], Contact.objects.count()) == (6, 1, 6)
    assert "did not take this row" in row(data_import, 5).reason


@pytest.mark.usefixtures("in_tenant")
def test_what_fails_again_and_again_stops_with_a_sentence_and_can_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data_import = checked(crowd(3))
    steps.confirm(data_import, user())
    with monkeypatch.context() as broken:
        broken.setattr(deciding, "decide", lambda *args, **kwargs: 1 / 0)
        for _ in range(turns.MOST_FAILURES):
            Import.objects.filter(pk=data_import.pk).update(token="")
            with pytest.raises(ZeroDivisionError):
                turn(data_import.pk)
        Import.objects.filter(pk=data_import.pk).update(token="")
        assert not turn(data_import.pk)
    data_import.refresh_from_db()
    assert (data_import.state, data_import.error) == (Import.State.FAILED, turns.STUCK)
    assert steps.try_again(data_import)
    assert work(data_import).state == Import.State.DONE
    assert Contact.objects.count() == 3


# --- each button once ---


@pytest.mark.usefixtures("in_tenant")
def test_each_button_works_once_and_only_when_its_time_has_come() -> None:
    data_import = checked(crowd(2))
    assert not steps.take_back(data_import, user())
    assert not steps.look_back(data_import)
    assert steps.confirm(data_import, user())
    assert not steps.confirm(data_import, user())
    assert not steps.cancel(data_import)
    assert not steps.back_to_columns(data_import)
    work(data_import)
    assert not steps.confirm(data_import, user())
    assert steps.look_back(data_import)
    assert not steps.look_back(data_import)
    assert steps.leave_it(data_import)
    taken_back(data_import)
    assert not steps.look_back(data_import)
    assert Contact.objects.count() == 0


@pytest.mark.usefixtures("in_tenant")
def test_cancelled_while_it_is_checked_it_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data_import = checked(crowd(5))
    assert steps.back_to_columns(data_import)
    monkeypatch.setattr(turns, "BATCH", 2)
    data_import.refresh_from_db()
    assert steps.match(data_import, [one["field"] for one in data_import.columns], {})
    turn(data_import.pk, seconds=0)
    turn(data_import.pk, seconds=0)
    assert ImportRow.objects.exists()
    assert steps.cancel(data_import)
    assert not turn(data_import.pk)
    assert not any(model.objects.exists() for model in (ImportRow, ImportKey, ImportPiece, Contact))


# --- things change between preview and import ---


@pytest.mark.usefixtures("in_tenant")
def test_two_files_with_the_same_people_confirmed_at_once_make_each_of_them_once() -> None:
    first, second = checked(crowd(5)), checked(crowd(5))
    assert outcomes(second) == ["create"] * 5
    steps.confirm(first, user())
    steps.confirm(second, user())
    work(first)
    work(second)
    assert outcomes(second) == ["unchanged"] * 5
    assert turns.ADDED_MEANWHILE in row(second, 2).warnings
    assert Contact.objects.count() == 5


@pytest.mark.usefixtures("in_tenant")
def test_what_was_changed_since_the_preview_is_looked_at_anew_and_said() -> None:
    ana, ben, cy = (ContactFactory(first_name=name, last_name="X", email=f"{name.lower()}@x.test")
                    for name in ("Ana", "Ben", "Cy"))  # fmt: skip
    data_import = checked("First,Email,Title\nAna,ana@x.test,Vet\nBen,ben@x.test,Vet\nCy,cy@x.test,Vet\n")
    assert outcomes(data_import) == ["update"] * 3
    ana.delete()
    ben.job_title = "Vet"
    ben.save()
    cy.job_title = "Judge"
    cy.save()
    steps.confirm(data_import, user())
    work(data_import)
    assert outcomes(data_import) == ["refused", "unchanged", "update"]
    assert "deleted or changed since" in row(data_import, 2).reason
    assert turns.SAME_MEANWHILE in row(data_import, 3).warnings
    assert row(data_import, 4).changes == {"job_title": ["Judge", "Vet"]}
    assert Contact.objects.count() == 2


@pytest.mark.usefixtures("in_tenant")
def test_a_list_a_tag_or_a_field_that_went_after_the_preview_is_no_disaster() -> None:
    news, size = ContactListFactory(name="Newsletter"), CustomField.objects.create(name="Size")
    data_import = checked("First,Lists,Size\nAna,Newsletter,M\n", list=str(news.uid))
    services.delete_list(news)
    size.delete()
    steps.confirm(data_import, user())
    work(data_import)
    assert (data_import.state, outcomes(data_import)) == (Import.State.DONE, ["create"])
    assert len(row(data_import, 2).warnings) == 2


# --- what it costs ---


@pytest.mark.usefixtures("in_tenant")
@pytest.mark.parametrize("phase", ["check", "apply", "look", "undo"])
def test_a_batch_takes_as_many_queries_whatever_the_number_of_rows_and_contacts(
    monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    """Counted without the repeated INSERTs into which SQLite divides one."""
    monkeypatch.setattr(turns, "BATCH", 100)

    def cost(count: int, start: int) -> int:
        data_import = checked(crowd(1, start + 900))
        half = crowd(count // 2, start).replace("Portland", "Salem")
        imported(half)
        ready = checked(crowd(count, start))
        measured = {"check": lambda: checked(crowd(count, start))}
        if phase != "check":
            steps.confirm(ready, user())
            measured["apply"] = lambda: work(ready)
        if phase in ("look", "undo"):
            work(ready)
            steps.look_back(ready)
            measured["look"] = lambda: work(ready)
        if phase == "undo":
            work(ready)
            steps.take_back(ready, user())
            measured["undo"] = lambda: work(ready)
        with CaptureQueriesContext(connection) as queries:
            measured[phase]()
        steps.cancel(data_import)
        kinds = [query["sql"][:60] for query in queries if "SAVEPOINT" not in query["sql"]]
        return sum(here != before for here, before in zip(kinds, ["", *kinds[:-1]], strict=True))

    few, many = cost(10, 0), cost(100, 1000)
    assert many <= few + 8, (few, many)  # no row more costs a query more; a long statement is divided now and then


@pytest.mark.usefixtures("in_tenant")
def test_the_newsletters_hear_of_a_batch_in_a_few_announcements_and_of_an_opt_out_as_such() -> None:
    heard: list[tuple[int, bool]] = []

    def listen(sender: Any, uids: Any, is_opt_out: bool, **kwargs: Any) -> None:
        heard.append((len(uids), is_opt_out))

    signals.contacts_changed.connect(listen)
    try:
        imported(crowd(50))
        assert len(heard) < 15
        heard.clear()
        imported("Email,DNC\nana0@rivermail.test,yes\n")
        assert [is_opt_out for _, is_opt_out in heard] == [True]
    finally:
        signals.contacts_changed.disconnect(listen)


# --- who did it ---


@pytest.mark.usefixtures("in_tenant")
def test_every_imported_value_can_be_traced_to_its_file_and_person() -> None:
    done = imported("First,Email,DNC\nAna,ana@rivermail.test,yes\n")
    entry = HistoryEntry.objects.filter(what="contact").get()
    assert (entry.source, entry.user, entry.by) == (f"Import {done.pk}: people.csv", user(), By.STAFF)
    event = ConsentEvent.objects.get()
    assert (event.kind, event.by, event.source) == (ConsentEvent.Kind.DNC_SET, By.STAFF, done.source)


# --- taking it back ---


@pytest.mark.usefixtures("in_tenant")
def test_taken_back_everything_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "BATCH", 2)
    news, vip = ContactListFactory(name="Newsletter"), Tag.objects.create(name="vip")
    CustomField.objects.create(name="Size")
    people = [ContactFactory(first_name=f"P{n}", last_name="X", email=f"p{n}@x.test", phone="+14155550100" if n else "",
                             email_state="bounced" if n == 2 else "ok", notes="Old", custom_user_id=f"M{n}",
                             job_title="Vet") for n in range(4)]  # fmt: skip
    OutsideIdentifier.objects.create(contact=people[0], system="DonorPerfect", value="1")
    PostalAddress.objects.create(contact=people[1], street="1 Mill Lane", city="Portland", is_primary=True)
    ListMembershipFactory(contact=people[1], contact_list=news)
    EmailAddressFactory(contact=people[3], address="other@x.test")
    services.set_tags(people[0], [vip], [])
    before = picture()
    content = (
        "Member No,First,Email,Other emails,Phone,Mobile,Street,City,Tags,Lists,Size,Notes,DNC,DonorPerfect ID,Title\n"
        "M0,Pia,new0@x.test,a@x.test;b@x.test,,415 555 0101,2 Elm,Salem,vip;new tag,Newsletter,M,Hello,yes,7,\n"
        "M1,P1,p1@x.test,,415 555 0199,,,Salem,new tag,Newsletter,L,,,8,Judge\n"
        "M2,P2,new2@x.test,,,,3 Oak,,vip,,S,Bye,,,\n"
        "M3,P3,,,415 555 0177,,,,,,,,yes,,\n"
        "M9,New,new9@x.test,c@x.test,415 555 0188,,4 Ash,Bend,newest,Newsletter,M,Hi,yes,9,Vet\n"
        "M9,New,new9@x.test,,,,5 Ash,Bend,,,,More,,,\n"
        "M0,Pia,new0@x.test,,,,9 Elm,Salem,,,XL,Again,,,Baker\n"
    )
    done = imported(content, empty="clear")
    assert done.counts["update"] == 6 and done.counts["create"] == 1
    assert picture() != before
    undone = taken_back(done)
    assert picture() == before
    assert undone.counts["undo"] == {"restore": 5, "delete": 2}, "rows; whoever was added is not put back, but deleted"
    assert undone.counts["undo_people"] == {"restore": 4, "delete": 1}
    assert ImportRow.objects.filter(data_import=done, state=ImportRow.State.UNDONE).count() == 7


@pytest.mark.usefixtures("in_tenant")
def test_what_somebody_changed_since_stays_and_is_said() -> None:
    ana = ContactFactory(first_name="Ana", last_name="X", email="ana@x.test", job_title="Vet", notes="")
    done = imported(
        "First,Last,Email,Title,City\nAna,Ruiz,ana@x.test,Judge,Salem\nBen,Okoro,ben@x.test,,\nCy,D,cy@x.test,,\n"
        "Ben,Okoro,ben@x.test,Mayor,\n"
    )
    Contact.objects.filter(pk=ana.pk).update(job_title="Baker")
    ben = Contact.objects.get(first_name="Ben")
    Contact.objects.filter(pk=ben.pk).update(notes="We talked")
    undone = taken_back(done)
    ana.refresh_from_db()
    assert (ana.last_name, ana.job_title) == ("X", "Baker")
    assert not ana.postal_addresses.exists()
    assert set(Contact.objects.values_list("first_name", flat=True)) == {"Ana", "Ben"}
    assert "it stays: job title" in row(done, 2).undo_reason
    assert row(done, 3).undo_reason.startswith("They were changed or used by somebody since")
    assert Contact.objects.get(first_name="Ben").job_title == "Mayor", "who was added stays as a whole"
    assert [row(done, n).state for n in (2, 3, 4, 5)] == ["undone", "kept", "undone", "kept"]
    assert undone.counts["undo_people"] == {"part": 1, "keep": 1, "delete": 1}


@pytest.mark.usefixtures("in_tenant")
def test_who_was_deleted_since_is_said_and_nobody_is_brought_back() -> None:
    ContactFactory(first_name="Ana", last_name="X", email="ana@x.test")
    done = imported("First,Last,Email\nAna,Ruiz,ana@x.test\nBen,Okoro,ben@x.test\n")
    Contact.objects.all().delete()
    taken_back(done)
    assert not Contact.objects.exists()
    assert [row(done, n).undo for n in (2, 3)] == ["keep", "keep"]


@pytest.mark.usefixtures("in_tenant")
def test_an_import_on_top_of_another_keeps_what_the_second_one_wrote() -> None:
    first = imported("First,Last,Email,Title\nAna,Ruiz,ana@x.test,Vet\n")
    imported("First,Last,Email,Title\nAna,Ruiz,ana@x.test,Judge\n")
    taken_back(first)
    assert Contact.objects.get().job_title == "Judge"
    assert row(first, 2).state == ImportRow.State.KEPT


@pytest.mark.usefixtures("in_tenant")
def test_L35_taking_back_clears_its_own_mark_but_never_against_the_persons_own_word() -> None:
    ana, ben = ContactFactory(email="ana@x.test"), ContactFactory(email="ben@x.test")
    done = imported("Email,DNC\nana@x.test,yes\nben@x.test,yes\n")
    with acting(By.PERSON, "Mailchimp webhook"):
        ConsentEvent.by_actor(
            ConsentEvent.Kind.OPT_OUT, ben.uid, contact_name="Ben", address="ben@x.test", place="mailchimp audience:a1"
        ).save()
    taken_back(done)
    ana.refresh_from_db()
    ben.refresh_from_db()
    assert not ana.do_not_contact
    assert ben.do_not_contact
    assert "opted out themselves" in row(done, 3).undo_reason
    said, _ = standing.load([ben.uid], [])
    assert set(said[str(ben.uid)].values()) == {standing.OUT}


@pytest.mark.usefixtures("in_tenant")
def test_a_place_on_a_list_that_somebody_opted_out_of_since_stays() -> None:
    news = ContactListFactory(name="Newsletter")
    ContactFactory(first_name="Ana", email="ana@x.test")
    done = imported("First,Email,Lists\nAna,ana@x.test,Newsletter\nBen,ben@x.test,Newsletter\n")
    with acting(By.PERSON, "Mailchimp webhook"):
        for place in ListMembership.objects.all():
            place.do_not_contact = True
            place.save()
    taken_back(done)
    assert ListMembership.objects.filter(contact_list=news, do_not_contact=True).count() == 2
    assert row(done, 3).undo_reason.startswith("They have said themselves since")


@pytest.mark.usefixtures("in_tenant")
def test_L37_what_a_service_told_of_somebody_is_no_change_by_somebody_and_does_not_keep_them() -> None:
    news = ContactListFactory(name="Newsletter")
    done = imported(
        "First,Email,Lists\nAna,ana@x.test,Newsletter\nBen,ben@x.test,Newsletter\nCy,cy@x.test,Newsletter\n"
    )
    with acting(By.SYSTEM, "Constant Contact"):
        ListMembership.objects.filter(contact__first_name="Ana").update(do_not_contact=True)
        EmailAddress.objects.filter(address="ben@x.test").update(state="bounced")
    with acting(By.STAFF, "Almoner"):
        ListMembership.objects.filter(contact__first_name="Cy").update(do_not_contact=True)
    undone = taken_back(done)
    assert [one.first_name for one in Contact.objects.all()] == ["Cy"]
    assert row(done, 4).undo_reason.startswith("They were changed or used by somebody since")
    assert undone.counts["undo_people"] == {"delete": 2, "keep": 1}
    assert ListMembership.objects.get(contact_list=news).do_not_contact


@pytest.mark.usefixtures("in_tenant")
def test_L14_a_mark_that_staff_have_set_again_since_is_no_longer_the_imports() -> None:
    news = ContactListFactory(name="Newsletter")
    ana, ben = ContactFactory(email="ana@x.test"), ContactFactory(email="ben@x.test")
    for one in (ana, ben):
        ListMembershipFactory(contact=one, contact_list=news)
    done = imported("Email,DNC,DNC on lists\nana@x.test,yes,Newsletter\nben@x.test,yes,Newsletter\n",
                    {"DNC on lists": "dnc_lists"})  # fmt: skip
    for rows in (Contact.objects.filter(pk=ana.pk), ListMembership.objects.filter(contact=ana)):
        rows.update(do_not_contact=False)
        rows.update(do_not_contact=True)
    taken_back(done)
    assert Contact.objects.get(do_not_contact=True) == ana
    assert ListMembership.objects.get(do_not_contact=True).contact == ana
    assert "set again" in row(done, 2).undo_reason


@pytest.mark.usefixtures("in_tenant")
def test_L22_a_bad_address_that_comes_back_comes_back_bad() -> None:
    ana = ContactFactory(first_name="Ana", email="ana@x.test", email_state="complained", custom_user_id="M1")
    done = imported("Member No,First,Email\nM1,Ana,new@x.test\n")
    email = ana.email_addresses.get()
    assert (email.address, email.state) == ("new@x.test", "ok")
    email.state = "bounced"
    email.save()
    taken_back(done)
    email = ana.email_addresses.get()
    assert (email.address, email.state) == ("ana@x.test", "complained")


@pytest.mark.usefixtures("in_tenant")
def test_what_is_asked_so_long_that_its_rows_went_is_not_said_to_be_taken_back() -> None:
    done = imported(crowd(2))
    assert steps.look_back(done)
    work(done)
    Import.objects.filter(pk=done.pk).update(finished_at=timezone.now() - keeping.KEEP * 1.1)
    keeping.prune()
    done.refresh_from_db()
    assert done.state == Import.State.ASKING
    assert not steps.take_back(done, user())


# --- how long ---


@pytest.mark.usefixtures("in_tenant")
def test_the_file_goes_when_it_is_imported_and_the_rows_after_ninety_days() -> None:
    done = imported(crowd(2))
    assert not ImportPiece.objects.exists() and not ImportKey.objects.exists()
    keeping.prune()
    assert ImportRow.objects.count() == 2
    Import.objects.filter(pk=done.pk).update(finished_at=timezone.now() - keeping.KEEP * 1.1)
    keeping.prune()
    assert not ImportRow.objects.exists()
    done.refresh_from_db()
    assert not steps.look_back(done)
    assert Contact.objects.count() == 2


@pytest.mark.usefixtures("in_tenant")
def test_a_file_that_nobody_goes_on_with_is_forgotten() -> None:
    left = checked(crowd(2))
    Import.objects.filter(pk=left.pk).update(created_at=timezone.now() - keeping.KEEP_UNFINISHED * 1.1)
    keeping.prune()
    left.refresh_from_db()
    assert left.state == Import.State.CANCELLED
    assert not ImportRow.objects.exists() and not ImportPiece.objects.exists()


# --- the neighbour ---


def test_the_neighbours_people_are_neither_found_nor_touched(tenant: Tenant, neighbour: Tenant) -> None:
    with inside(neighbour):
        theirs = ContactFactory(first_name="Ana", last_name="Ruiz", email="ana0@rivermail.test", custom_user_id="M0")
        OutsideIdentifier.objects.create(contact=theirs, system="DonorPerfect", value="1")
        their_list = ContactListFactory(name="Theirs")
        imported(crowd(3))
    untouched = fingerprint.of_tenant(neighbour)
    with inside(tenant):
        head = "Almoner id,First,Email,Member No,DonorPerfect ID,Lists\n"
        content = f"{head}{theirs.uid},Ana,ana0@rivermail.test,M0,1,Theirs\n"
        done = imported(content, list=str(their_list.uid))
        assert outcomes(done) == ["create"]
        assert Contact.objects.get().uid != theirs.uid
        assert not ContactList.objects.exists()
        taken_back(done)
    assert fingerprint.of_tenant(neighbour) == untouched
