"""Our DonorPerfect client against the sandbox: pages, changes, deletions, interactions, keys, what is never shown."""

import logging
import socketserver
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from integrations.provider_kit.errors import Ambiguous, CallFailed, Reconnect, Refused, Retry
from integrations.provider_kit.http import Answer
from integrations.providers.donor_perfect import api as api_module
from integrations.providers.donor_perfect.client import PAGE, DonorPerfect
from integrations.providers.donor_perfect.interactions import marker_for
from integrations.providers.donor_perfect.meaning import meaning_of, person_of, why_not_thanked
from integrations.providers.donor_perfect.rows import GiftRow

TODAY = date(2026, 11, 22)


@pytest.fixture
def client(donor_perfect: Any) -> Iterator[DonorPerfect]:
    with DonorPerfect(donor_perfect.issued_key()) as client:
        yield client


@pytest.fixture
def names(donor_perfect: Any) -> dict[str, int]:
    return dict(donor_perfect.account().fixtures)


def act(sandbox: Any, action: str, **more: Any) -> dict[str, Any]:
    return dict(sandbox.act({"as": "holder", "account": "river", "action": action, **more}))


def faults(sandbox: Any, kind: str, **more: Any) -> None:
    from tests.fakes.faults import Faults

    sandbox.faults = Faults.from_json({"kinds": [kind], "timeout_s": 0.3, **more}) if kind else Faults()


def all_gifts(client: DonorPerfect) -> list[GiftRow]:
    found: list[GiftRow] = []
    while page := client.gifts_after(found[-1].gift_id if found else 0):
        found += page
    return found


def calls(sandbox: Any) -> list[dict[str, Any]]:
    return [each for each in sandbox.calls.since() if each["path"].startswith("/prod")]


# -- gifts ---------------------------------------------------------------------------------------


def test_D5_pages_of_500_reach_every_gift_and_none_twice(client: DonorPerfect, donor_perfect: Any) -> None:
    found = [row.gift_id for row in all_gifts(client)]
    assert len(found) == donor_perfect.account().count("dpgift") > PAGE
    assert found == sorted(set(found)) and client.max_gift_id() == found[-1]
    assert len(client.gifts_after(0)) == PAGE and len(client.gifts_after(0, limit=7)) == 7
    assert client.gifts_after(found[-1]) == []


@pytest.mark.parametrize(
    "answer", [b"<result/>", b"<result><record><field name='highest' value=''/></record></result>"]
)
def test_D4_an_answer_that_lost_the_highest_number_does_not_make_every_gift_new(
    client: DonorPerfect, donor_perfect: Any, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    real = client.api._send

    def loses(action: str, *more: Any, **values: Any) -> Any:
        return Answer(200, {}, answer, None) if "MAX(" in action else real(action, *more, **values)

    monkeypatch.setattr(client.api, "_send", loses)
    with pytest.raises(CallFailed):
        client.max_gift_id()
    donor_perfect.account().database.execute("DELETE FROM dpgift")
    assert client.max_gift_id() == 0


def test_D5_a_gift_whose_donor_is_missing_is_not_missed(
    client: DonorPerfect, donor_perfect: Any, names: dict[str, int]
) -> None:
    donor_perfect.account().delete("dp", names["organization"])
    row = next(row for row in client.gifts_after(names["given"] - 1))
    assert (row.gift_id, row.donor_id, row.donor) == (names["given"], names["organization"], None)
    assert client.donor(names["organization"]) is None and not client.is_donor(names["organization"])


def test_each_row_of_the_sandbox_is_understood(client: DonorPerfect, names: dict[str, int]) -> None:
    rows = {row.gift_id: row for row in all_gifts(client)}
    thanked = {name for name, number in names.items() if number in rows and not why_not_thanked(rows[number])}
    assert thanked == {
        "split_main", "given", "tribute_gift", "edited", "pledge_payment", "moved_gift",
    }  # fmt: skip
    meanings = {name: meaning_of(rows[number]) for name, number in names.items() if number in rows}
    assert meanings["adjusted_to"].replaces == names["adjusted"] and meanings["adjusted_to"].counts
    assert meanings["refunded_to"].replaces == names["refunded"] and not meanings["refunded_to"].counts
    assert meanings["split_part"].part_of == names["split_main"]
    split = [rows[names[name]] for name in ("split_main", "split_part", "split_part_2")]
    assert sum(row.amount or 0 for row in split if meaning_of(row).counts) == Decimal(100)
    assert sum(meaning_of(row).is_one for row in split) == 1


def test_D8_the_wish_not_to_be_mailed_comes_with_the_gift(client: DonorPerfect, names: dict[str, int]) -> None:
    (row,) = client.gifts_by_id([names["skipped_gift"]])
    assert row.donor and row.donor.no_mail and "Do Not Send Mail" in why_not_thanked(row)


def test_D7_donors_come_with_their_names_first_address_and_phone(client: DonorPerfect, names: dict[str, int]) -> None:
    found = {name: client.donor(names[name]) for name in ("apostrophe", "two_emails", "organization", "non_ascii")}
    people = {name: person_of(donor) for name, donor in found.items() if donor}
    assert (people["apostrophe"].last_name, people["apostrophe"].phone) == ("O'Reilly", "(503) 555-0117")
    assert people["two_emails"].email == "rosa@mendes.test"
    assert (people["organization"].is_organization, people["organization"].last_name) == (True, "Oak & Pine Hardware")
    assert (people["non_ascii"].first_name, people["non_ascii"].last_name) == ("Zoë", "Łukasiewicz")
    assert client.donor(names["merged_away"]) is None


def test_D9_nothing_about_payment_is_asked_for(client: DonorPerfect, donor_perfect: Any) -> None:
    client.gifts_after(0)
    client.gifts_changed_since(TODAY)
    client.donor(147)
    asked = " ".join(each["query"] for each in calls(donor_perfect)).lower()
    assert "gift_narrative" in asked
    for word in ("gift_type", "vault", "dppaymentmethod", "transaction_id", "reference", "address", "%2a"):
        assert word not in asked


def test_D5_what_was_changed_entered_late_or_moved_is_found_by_its_day(
    client: DonorPerfect, donor_perfect: Any, names: dict[str, int]
) -> None:
    from tests.fakes.donor_perfect.state import today

    server_day = date.fromisoformat(today(donor_perfect.now())[:10])
    assert client.gifts_changed_since(server_day) == []
    late = act(donor_perfect, "add_gift", donor=names["regular"], amount=12, day="1/2/2020", late=True)["gift_id"]
    act(donor_perfect, "edit_gift", gift=10_001, amount="26")
    adjusted = act(donor_perfect, "refund_gift", gift=names["given"], amount=100)
    found = {row.gift_id: row for row in client.gifts_changed_since(server_day)}
    assert set(found) == {late, 10_001, names["given"], adjusted["result"], adjusted["adjustment"]}
    assert late < names["last_gift"] and found[late].gift_date == date(2020, 1, 2)
    assert found[adjusted["result"]].alink == names["given"] and found[adjusted["result"]].amount == Decimal(400)
    assert [row.gift_id for row in client.gifts_changed_since(server_day, after=late)] == sorted(
        set(found) - {10_001, names["given"], late}
    )


def test_D5_changes_come_in_pages_too(client: DonorPerfect, donor_perfect: Any) -> None:
    from tests.fakes.donor_perfect.state import today

    server_day = date.fromisoformat(today(donor_perfect.now())[:10])
    act(donor_perfect, "add_crowd", donors=6, gifts=100, amount=5)
    first = client.gifts_changed_since(server_day)
    second = client.gifts_changed_since(server_day, after=first[-1].gift_id)
    assert (len(first), len(second)) == (PAGE, 100)


def test_deleted_gifts_are_noticed_by_asking_which_are_there(
    client: DonorPerfect, donor_perfect: Any, names: dict[str, int]
) -> None:
    every = [row.gift_id for row in all_gifts(client)]
    before = len(calls(donor_perfect))
    assert client.gifts_present([*every, 1, 99_999_999]) == set(every)
    assert [each["method"] for each in calls(donor_perfect)[before:]] == ["POST", "GET"], "500 ids are too long for GET"
    act(donor_perfect, "delete_gift", gift=names["split_main"])
    gone = {names[each] for each in ("split_main", "split_part", "split_part_2")}
    assert client.gifts_present(every) == set(every) - gone
    assert client.gifts_present([]) == set() and client.gifts_by_id([]) == []


@pytest.mark.parametrize("options", [{"bare_ampersand": True}, {"bare_ampersand": True, "bare_markup": True}])
def test_damaged_answers_lose_no_row(client: DonorPerfect, donor_perfect: Any, options: dict[str, bool]) -> None:
    whole = all_gifts(client)
    act(donor_perfect, "edit_gift", gift=10_002, gift_narrative="Tea & <b>cake</b>")
    for name, value in options.items():
        setattr(donor_perfect.options, name, value)
    damaged = {row.gift_id: row for row in all_gifts(client)}
    assert list(damaged) == [row.gift_id for row in whole]
    is_lost = "bare_markup" in options
    assert damaged[10_002].comment == ("" if is_lost else "Tea & <b>cake</b>")
    assert damaged[10_002].lost == (("gift_narrative",) if is_lost else ())
    assert damaged[10_002].amount == Decimal(10)


# -- codes ---------------------------------------------------------------------------------------


def test_activity_codes_are_listed_without_those_switched_off(client: DonorPerfect, donor_perfect: Any) -> None:
    found = {each.code: each.description for each in client.activity_codes()}
    assert found["TYV"] == "Thank-you video sent" and "FAX" not in found and "UN" not in found
    from tests.fakes.donor_perfect.deeds import Deeds

    deeds = Deeds(donor_perfect.account(), donor_perfect.now(), donor_perfect.options)
    for number in range(600):
        deeds.add_code("ACTIVITY_CODE", f"Z{number:03}", "One of many")
    assert len(client.activity_codes()) == len(found) + 600


# -- interactions --------------------------------------------------------------------------------


def save(client: DonorPerfect, donor: int, marker: str, comment: str = "Video watched") -> int:
    return client.save_interaction(donor_id=donor, on=TODAY, activity_code="TVW", comment=comment, marker=marker)


def held(sandbox: Any) -> list[dict[str, Any]]:
    return list(sandbox.account().rows("SELECT * FROM dpcontact ORDER BY contact_id"))


def test_D10_an_interaction_arrives_with_code_date_and_text(
    client: DonorPerfect, donor_perfect: Any, names: dict[str, int]
) -> None:
    marker = marker_for(uuid4())
    number = save(client, names["non_ascii"], marker, "O'Reilly's reply:\n“Łódź & I thank you” 100%")
    (row,) = held(donor_perfect)
    assert (row["contact_id"], row["donor_id"], row["activity_code"]) == (number, names["non_ascii"], "TVW")
    assert row["contact_date"] == row["completed_date"] == "2026-11-22 00:00:00" and row["due_date"] is None
    assert row["comment"] == f"O'Reilly's reply: 'Łódź & I thank you' 100 percent {marker}"
    assert row["created_by"] == "Almoner"
    assert calls(donor_perfect)[-1]["method"] == "POST" and "Reilly" not in calls(donor_perfect)[-1]["query"]


def test_D12_it_is_found_again_by_its_marker_on_its_donor_only(client: DonorPerfect, names: dict[str, int]) -> None:
    marker, other = marker_for(uuid4()), marker_for(uuid4())
    assert client.find_interaction(names["regular"], marker) is None
    number = save(client, names["regular"], marker)
    assert client.find_interaction(names["regular"], marker) == number
    assert client.find_interaction(names["regular"], other) is None
    assert client.find_interaction(names["apostrophe"], marker) is None


@pytest.mark.parametrize(
    ("kind", "outcome", "is_stored"),
    [
        ("done_unanswered", Ambiguous, True), ("empty_applied", Ambiguous, True), ("500_applied", Ambiguous, True),
        ("cut_body", Ambiguous, True), ("200_empty", Ambiguous, False), ("200_html", Ambiguous, False),
        ("cut", Ambiguous, False), ("500", Ambiguous, False), ("429", Retry, False), ("timeout", Ambiguous, False),
    ],
)  # fmt: skip
def test_D12_an_unclear_write_is_found_or_written_once(
    client: DonorPerfect, donor_perfect: Any, names: dict[str, int], kind: str, outcome: type, is_stored: bool
) -> None:
    marker, donor = marker_for(uuid4()), names["regular"]
    faults(donor_perfect, kind)
    with pytest.raises(CallFailed) as failed:
        save(client, donor, marker)
    faults(donor_perfect, "")
    assert type(failed.value.outcome) is outcome and len(held(donor_perfect)) == is_stored
    found = client.find_interaction(donor, marker)
    assert (found is not None) is is_stored
    assert found or save(client, donor, marker)
    assert len(held(donor_perfect)) == 1


@pytest.mark.parametrize("kind", ["200_empty", "200_html", "500", "cut", "cut_body", "502_html", "429"])
def test_a_read_in_trouble_is_tried_again_and_never_means_no_gifts(
    client: DonorPerfect, donor_perfect: Any, kind: str
) -> None:
    faults(donor_perfect, kind)
    for read in (client.max_gift_id, lambda: client.gifts_after(0), lambda: client.gifts_present(range(1, 500))):
        with pytest.raises(CallFailed) as failed:
            read()
        assert type(failed.value.outcome) is Retry
    faults(donor_perfect, "")
    assert client.gifts_after(0)


def test_an_error_of_TLS_is_tried_again_and_nothing_was_written(donor_perfect: Any, settings: Any) -> None:
    settings.DONOR_PERFECT_URL = donor_perfect.url.replace("http://", "https://")
    with DonorPerfect(donor_perfect.issued_key()) as client:
        for call in (client.max_gift_id, lambda: save(client, 1, marker_for(uuid4()))):
            with pytest.raises(CallFailed) as failed:
                call()
            assert type(failed.value.outcome) is Retry
    assert held(donor_perfect) == []


def test_D12_an_unknown_donor_or_code_is_refused_for_this_row_only(
    client: DonorPerfect, donor_perfect: Any, names: dict[str, int]
) -> None:
    donor_perfect.options.checks_donor = True
    with pytest.raises(CallFailed) as failed:
        save(client, names["merged_away"], marker_for(uuid4()))
    assert isinstance(failed.value.outcome, Refused) and "FOREIGN KEY" in str(failed.value)
    assert save(client, names["merged_into"], marker_for(uuid4()))


# -- the key -------------------------------------------------------------------------------------


def outcome_of(key: str) -> Any:
    """What comes of a try of this key; None when it is accepted."""
    try:
        with DonorPerfect(key) as client:
            client.try_key()
    except CallFailed as problem:
        return problem.outcome
    return None


def test_D1_a_key_is_tried_in_every_shape_that_people_paste(donor_perfect: Any) -> None:
    key = donor_perfect.issued_key()
    assert outcome_of(key) is outcome_of(f"  {key}\n") is outcome_of(donor_perfect.account().key) is None
    for wrong in ("A" * 120, key.replace("%", "%25"), key[:50], "", "two words", "Ärger"):
        assert isinstance(outcome_of(wrong), Reconnect), wrong
    assert "Copy the whole key" in outcome_of(key[:50]).sentence
    act(donor_perfect, "revoke_key")
    assert isinstance(outcome_of(key), Reconnect)


@pytest.mark.parametrize("kind", ["login_failed", "bad_api_key", "reason", "page"])
def test_D1_whatever_way_a_wrong_key_is_told(donor_perfect: Any, kind: str) -> None:
    donor_perfect.options.unknown_key = kind
    expected = Retry if kind == "page" else Reconnect
    assert type(outcome_of("A" * 120)) is expected and outcome_of(donor_perfect.issued_key()) is None


def test_a_revoked_key_is_told_from_a_bad_call_by_the_simplest_call(
    client: DonorPerfect, donor_perfect: Any, names: dict[str, int]
) -> None:
    donor_perfect.options.hide_errors = donor_perfect.options.checks_donor = True
    with pytest.raises(CallFailed) as failed:
        save(client, 1, marker_for(uuid4()))
    assert isinstance(failed.value.outcome, Refused), "the key is good: it was this call"
    act(donor_perfect, "revoke_key")
    for call in (lambda: save(client, 1, marker_for(uuid4())), lambda: client.gifts_after(0)):
        with pytest.raises(CallFailed) as failed:
            call()
        assert isinstance(failed.value.outcome, Reconnect)


def test_D2_the_key_is_in_no_log_and_no_error(
    donor_perfect: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.WARNING)  # as in production
    key = donor_perfect.issued_key()
    said = []
    for kind in ("cut", "done_unanswered", "500", "200_html", "redirect", "timeout", "cut_body"):
        faults(donor_perfect, kind)
        with DonorPerfect(key) as client:
            for call in (client.try_key, lambda c=client: save(c, 147, marker_for(uuid4()))):  # type: ignore[misc]
                with pytest.raises(CallFailed) as failed:
                    call()
                said += [str(failed.value), repr(failed.value.__cause__), repr(failed.value.__context__)]
    assert len(said) == 42
    # Up to the first sign that is written in more than one way.
    part = key.partition("%")[0]
    assert len(part) > 10 and part not in caplog.text and part not in " ".join(said)


class BrokenHeaders(socketserver.StreamRequestHandler):
    """Answers with headers that no parser likes; urllib3 would quote the address in a warning."""

    def handle(self) -> None:
        self.request.recv(65536)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n: nameless\r\nbroken\r\n\r\n<result/>")


def test_D2_broken_headers_do_not_bring_the_key_into_the_log(
    donor_perfect: Any, settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    with socketserver.TCPServer(("127.0.0.1", 0), BrokenHeaders) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        settings.DONOR_PERFECT_URL = f"http://127.0.0.1:{server.server_address[1]}"
        logger = logging.getLogger("urllib3.connection")
        key = donor_perfect.issued_key()
        outcome_of(key)
        part = key.partition("%")[0]
        assert part not in "".join(record.getMessage() for record in caplog.records)
        monkeypatch.setattr(logger, "filters", [])
        outcome_of(key)
        server.shutdown()
    assert part in caplog.text, "the control: without the silence it would be there"


# -- the neighbourhood ---------------------------------------------------------------------------


def test_another_organizations_key_sees_and_writes_its_own_rows(
    client: DonorPerfect, donor_perfect: Any, names: dict[str, int]
) -> None:
    with DonorPerfect(donor_perfect.issued_key("harbor")) as neighbour:
        (row,) = neighbour.gifts_after(0)
        assert row.donor and row.donor.last_name == "Brandt"
        save(client, names["regular"], marker_for(uuid4()))
    assert donor_perfect.account("harbor").count("dpcontact") == 0


def test_calls_keep_a_pause_between_them(client: DonorPerfect, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(api_module.time, "sleep", waited.append)
    settings.DONOR_PERFECT_PAUSE_SECONDS = 5
    client.try_key()
    client.try_key()
    assert waited[0] == 0 and 4 < waited[1] <= 5
