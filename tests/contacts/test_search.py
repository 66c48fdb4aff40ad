"""Search among contacts: what is found, that nothing typed makes it fail, and that it is in step with every change."""

from typing import Any
from unittest.mock import Mock

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from unfold.templatetags import unfold_list

from config.apps import answer_without_compiling
from contacts import search, search_index, services
from contacts.folding import digits_of, fold
from contacts.models import Contact, EmailAddress, OutsideIdentifier, PhoneNumber, SearchText
from contacts.search import contacts_matching
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.factories import ContactFactory, EmailAddressFactory, ListMembershipFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


def found(text: str) -> set[str]:
    """The last names of those whom search finds, each once."""
    names = list(contacts_matching(Contact.objects.all(), text).values_list("last_name", flat=True))
    assert len(names) == len(set(names)), "each once"
    return set(names)


@pytest.fixture
def people(in_tenant: Tenant, neighbour: Tenant) -> None:
    """A few people whose names and numbers are written in many ways; the neighbour knows the same ones."""
    for tenant in (None, neighbour):
        more = {"tenant": tenant} if tenant else {}
        ContactFactory(first_name="José Ángel", last_name="Muñoz-Łuków", email="j.munoz@rivermail.test", **more)
        ContactFactory(first_name="Søren", last_name="Weiß", email="weiss@rivermail.test", **more)
        ContactFactory(first_name="Maeve", last_name="O’Brien", email="", phone="+14155550100", **more)
        ContactFactory(first_name="李", last_name="小明", email="", phone="+442079460018", **more)
        ContactFactory(first_name="Ed", last_name="Liu", email="ed_liu+100%@rivermail.test",
                       custom_user_id='X"9\\7', job_title="Head of “Ops” 👍", **more)  # fmt: skip


CASES = {
    # part of a name, whatever the accents and the case
    "josé": {"Muñoz-Łuków"}, "JOSE ANGEL": {"Muñoz-Łuków"}, "luk": {"Muñoz-Łuków"}, "munoz-łuk": {"Muñoz-Łuków"},
    "munozlukow": {"Muñoz-Łuków"}, "soren": {"Weiß"}, "WEISS": {"Weiß"}, "weiß": {"Weiß"},
    "obrien": {"O’Brien"}, "o'brien": {"O’Brien"}, "rien maeve": {"O’Brien"}, "小明": {"小明"}, "李": {"小明"},
    # one or two letters begin a word
    "li": {"Liu"}, "iu": set(), "e": {"Liu"}, "m": {"Muñoz-Łuków", "O’Brien"},
    # addresses
    "munoz@river": {"Muñoz-Łuków"}, "weiss@rivermail.test": {"Weiß"},
    "rivermail": {"Muñoz-Łuków", "Weiß", "Liu"},
    # phone numbers as they are written
    "(415) 555-0100": {"O’Brien"}, "415.555.0100": {"O’Brien"}, "+1 415 555 0100": {"O’Brien"}, "5550100": {"O’Brien"},
    "020 7946 0018": {"小明"}, "+44 (0)20 7946 0018": {"小明"}, "0044 20 7946 0018": {"小明"},
    "maeve 555-0100": {"O’Brien"},
    "415 555 0199": set(),
    # signs are meant literally
    "100%": {"Liu"}, "%": {"Liu"}, "_": {"Liu"}, "ed_": {"Liu"}, 'x"9': {"Liu"}, '"9\\7': {"Liu"}, "👍": {"Liu"},
    "*": set(), '"': {"Liu"}, "head ops": {"Liu"}, "j%z": set(), "j_munoz": set(),
    # several words, in any order, each somewhere
    "angel munoz rivermail": {"Muñoz-Łuków"}, "angel weiss": set(),
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
@pytest.mark.usefixtures("people")
def test_people_are_found_by_any_part_of_what_is_known_of_them(text: str) -> None:
    assert found(text) == CASES[text]


@pytest.fixture(params=["no index", "so many that the contacts are gone through", "neither"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another way than that of a few people and an index."""
    if request.param != "so many that the contacts are gone through":
        monkeypatch.setattr(search_index, "is_asked_apart", lambda connection: False)
    if request.param != "no index":
        monkeypatch.setattr(search, "FEW", -1)


@pytest.mark.usefixtures("people", "way")
def test_whichever_way_the_database_goes_the_same_people_are_found() -> None:
    assert {text: found(text) for text in CASES} == CASES


@pytest.mark.parametrize("few", [-1, 0, 1, 10_000])
@pytest.mark.usefixtures("people")
def test_the_page_says_how_many_were_found_however_many_there_are(
    few: int, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    for text in ("rivermail", "m", "maeve 555-0100", "angel weiss", "\u0301", ""):
        page = client.get("/admin/contacts/contact/", {"q": text}).context["cl"]
        assert page.result_count == len(page.result_list) == len(found(text)), text
        with_filter = client.get("/admin/contacts/contact/", {"q": text, "email": "none"}).context["cl"]
        assert with_filter.result_count == len(with_filter.result_list) == len(found(text) & {"O’Brien", "小明"}), text


def test_a_large_search_is_read_in_the_order_of_the_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for last in ("Ruiz", "Abara", "Meyer"):
        ContactFactory(first_name="Ana", last_name=last)
    for few in (-1, 10_000):
        monkeypatch.setattr(search, "FEW", few)
        for order, names in (("1", ["Abara", "Meyer", "Ruiz"]), ("-1", ["Ruiz", "Meyer", "Abara"])):
            page = client.get("/admin/contacts/contact/", {"q": "ana", "o": order}).context["cl"]
            assert [row.last_name for row in page.result_list] == names


STRANGE = [
    "\x00", "a\x00b", "'", '"', '""""', '" OR "', "a AND", "NEAR(a b)", "text:x", "x*", "^x", "(", ")", "{x}", "-",
    "--", "%", "_", "\\", "\\\\", "%%%%", "e" * 10_000, "é" * 10_000, "ﷺ" * 10_000, "👩‍👩‍👧‍👦" * 500,
    "a b c d e f g h i j", "1" * 10_000, "+" * 50, "((((", "()()()()", "+1 (", "0000", "\u0301", "\u200b\u200b",
    "\ud800", "\n\t", "a\u202eb", "𝐀𝐧𝐚", "1- 2- 3-",
]  # fmt: skip


@pytest.mark.parametrize("text", STRANGE, ids=range(len(STRANGE)))
def test_nothing_that_is_typed_makes_search_fail(text: str, client: Client) -> None:
    ContactFactory(first_name="Ana")
    assert contacts_matching(Contact.objects.all(), text).count() <= 1
    answer = client.get("/admin/contacts/contact/", {"q": text.replace("\ud800", "")[:2000]})
    assert answer.status_code == (400 if "\x00" in text else 200)


def test_what_cannot_be_looked_for_finds_nobody_and_no_text_finds_everybody() -> None:
    ContactFactory(last_name="Ruiz")
    assert found("\u0301") == found("x" * 400) == set()
    assert found("  ") == {"Ruiz"}


def test_T2_a_neighbours_contacts_are_never_found(neighbour: Tenant) -> None:
    ContactFactory(tenant=neighbour, last_name="Foreigner", phone="+14155550100")
    assert found("foreigner") == found("(415) 555-0100") == set()
    with inside(neighbour):
        assert found("foreigner") == {"Foreigner"}


@pytest.mark.parametrize(
    ("text", "folded"),
    [("  Ana   RUIZ ", "ana ruiz"), ("Åsa Müller", "asa muller"), ("ﬁancé", "fiance"), ("İstanbul", "istanbul"),
     ("Ægir Þór", "aegir thor"), ("Đặng", "dang"), ("D’Arc", "d'arc"), ("x\x00y\u200bz", "xyz")],
)  # fmt: skip
def test_texts_are_folded_as_people_type_them(text: str, folded: str) -> None:
    assert fold(text) == folded and fold(folded) == folded


def test_digits_of_a_number_leave_out_what_people_add() -> None:
    assert digits_of("+44 (0)20 7946-0018") == "442079460018"
    assert digits_of("００44 1") == "441"


# --- in step with every change ---


def test_the_text_follows_every_way_of_writing() -> None:
    contact = ContactFactory(first_name="Ana", last_name="Ruiz", email="ana@rivermail.test")
    Contact.objects.filter(pk=contact.pk).update(organization_name="Bakery")
    EmailAddress.objects.bulk_create([EmailAddress(contact=contact, address="b@x.test", address_key="second@x.test")])
    number = PhoneNumber.objects.create(contact=contact, number="+14155550100")
    OutsideIdentifier.objects.create(contact=contact, system="Old", value="K-4711")
    for text in ("ruiz", "bakery", "second@", "555-0100", "k-4711"):
        assert found(text) == {"Ruiz"}, text
    number.delete()
    EmailAddress.objects.filter(contact=contact, is_primary=False).delete()
    contact.outside_identifiers.all().delete()
    Contact.objects.filter(pk=contact.pk).update(organization_name="")
    for text in ("bakery", "second@", "555-0100", "k-4711"):
        assert found(text) == set(), text
    assert found("ana@") == {"Ruiz"}
    contact.delete()
    assert found("ruiz") == set() and not SearchText.objects.exists()


def test_an_undone_change_leaves_the_index_as_it_was() -> None:
    from django.db import transaction

    contact = ContactFactory(last_name="Ruiz")
    with pytest.raises(RuntimeError), transaction.atomic():
        Contact.objects.filter(pk=contact.pk).update(last_name="Changed")
        assert found("changed")
        raise RuntimeError
    assert found("changed") == set() and found("ruiz") == {"Ruiz"}


def test_the_page_of_a_contact_keeps_search_in_step(client: Client) -> None:
    from tests.contacts.forms import opened, sent

    contact: Any = ContactFactory(first_name="Ana", last_name="Ruiz")
    form = opened(client, contact)
    assert sent(client, form | {"last_name": "Ibáñez"}, contact).status_code == 302
    assert found("ibanez") == {"Ibáñez"} and found("ruiz") == set()


def test_texts_are_written_in_a_fixed_number_of_queries(django_assert_max_num_queries: Any) -> None:
    few = [ContactFactory(phone="+14155550100").uid for _ in range(3)]
    many = [ContactFactory(phone="+14155550100").uid for _ in range(60)]
    for uids in (few, many):
        SearchText.objects.all().delete()
        with django_assert_max_num_queries(9):  # with the savepoint
            search.refresh(uids)
        assert SearchText.objects.count() == len(uids)


def test_what_hangs_on_a_contact_but_is_not_searched_asks_for_nothing(django_assert_num_queries: Any) -> None:
    row: Any = ListMembershipFactory()
    with django_assert_num_queries(0):
        search.on_change(type(row), uids=[row.contact.uid])


def test_texts_that_are_missing_are_made_up_for_in_the_night(neighbour: Tenant) -> None:
    ContactFactory(last_name="Ruiz")
    SearchText.objects.all().delete()
    assert found("ruiz") == set()
    assert search.fill() == 1 and search.fill() == 0
    assert found("ruiz") == {"Ruiz"}


def test_the_members_of_a_list_are_searched_in_the_same_way(client: Client) -> None:
    row = ListMembershipFactory(contact=ContactFactory(first_name="Zoë", last_name="Quist"))
    ListMembershipFactory(contact_list=row.contact_list, contact=ContactFactory(first_name="Ada", last_name="Other"))
    page = client.get(f"/admin/contacts/contactlist/{row.contact_list_id}/change/", {"q": "zoe"}).content.decode()
    assert "Quist" in page and "Other" not in page.split('id="members"')[1]


def test_the_choice_of_a_contact_in_a_form_finds_as_the_page_does(client: Client, neighbour: Tenant) -> None:
    ContactFactory(first_name="Zoë", last_name="Quist", phone="+14155550100")
    ContactFactory(tenant=neighbour, first_name="Zoë", last_name="Stranger")
    where = {"app_label": "contacts", "model_name": "listmembership", "field_name": "contact"}
    for term in ("zoe", "quist zoë", "(415) 555-0100"):
        answer = client.get("/admin/autocomplete/", where | {"term": term}).json()
        assert [row["text"] for row in answer["results"]] == ["Zoë Quist"], term


def test_the_headings_of_a_page_are_made_once_and_not_for_each_row(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = Mock(wraps=unfold_list.UnfoldBooleanWidget)
    monkeypatch.setattr(unfold_list, "UnfoldBooleanWidget", widget)
    ContactFactory.create_batch(3)
    page = client.get("/admin/contacts/contact/").content.decode()
    assert widget.call_count == 1 and page.count('data-label="May we email them?"') == 3


def test_only_postgres_is_told_not_to_compile_and_is_so_from_the_first_query() -> None:
    with CaptureQueriesContext(connection) as told:
        answer_without_compiling(None, connection)
    is_postgres = connection.vendor == "postgresql"
    assert [one["sql"] for one in told] == (["SET jit = off"] if is_postgres else [])
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit" if is_postgres else "PRAGMA journal_mode")
        assert cursor.fetchone()[0] != "on"


# --- the index ---


def test_the_index_is_there_after_migrations_and_asked() -> None:
    assert search_index.missing(connection) == set()
    assert search_index.check_index(None, ["default"]) == []
    with CaptureQueriesContext(connection) as asked:
        contacts_matching(Contact.objects.all(), "ruiz")
    assert (search_index.INDEX in asked[0]["sql"]) == (connection.vendor == "sqlite")


def test_an_index_that_was_lost_is_told_and_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = f"{search_index.INDEX}_added"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"DROP TRIGGER {lost}")
        else:
            cursor.execute(f"DROP INDEX {search_index.INDEX}")
    ContactFactory(last_name="Ruiz")
    assert [warning.id for warning in search_index.check_index(None, ["default"])] == ["contacts.W001"]
    connection.check_constraints()  # PostgreSQL makes no index while some wait to be looked at
    search_index.build()
    assert search_index.check_index(None, ["default"]) == [] and found("ruiz") == {"Ruiz"}


def test_a_database_without_the_means_for_an_index_is_told_and_searched_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(search_index, "missing", lambda connection: {search_index.INDEX})
    monkeypatch.setattr(search_index, "FTS_TABLE", "CREATE VIRTUAL TABLE nothing USING no_such_module(text)")
    monkeypatch.setattr(search_index, "POSTGRES", ["CREATE EXTENSION no_such_extension"])
    monkeypatch.setattr(search_index, "_there", {})
    search_index.build()
    assert "There is no index for search" in caplog.text
    ContactFactory(last_name="Ruiz")
    assert found("rui") == {"Ruiz"}


def test_a_deleted_list_or_tag_costs_search_nothing(client: Client) -> None:
    contact: Any = EmailAddressFactory().contact
    services.set_tags(contact, [], ["volunteer"])
    before = SearchText.objects.get(contact=contact).text
    contact.contact_tags.all().delete()
    assert SearchText.objects.get(contact=contact).text == before


def test_a_merge_and_its_undoing_leave_everybody_to_be_found_by_what_is_theirs() -> None:
    from contacts.duplicates.merge import merge
    from contacts.duplicates.unmerge import undo

    kept = ContactFactory(last_name="Keeper", email="keeper@rivermail.test")
    gone = ContactFactory(last_name="Goner", email="goner@rivermail.test", phone="+14155550100")
    done = merge(kept, gone)
    assert found("goner@rivermail") == found("(415) 555-0100") == {"Keeper"}
    undo(done)
    assert found("goner@rivermail") == found("(415) 555-0100") == {"Goner"}
    assert found("keeper@rivermail") == {"Keeper"}


def test_sqlite_is_shown_its_tables_once_and_again_when_they_have_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    from django_scopes import scope

    from contacts import table_statistics

    monkeypatch.setattr(table_statistics, "_largest", {})
    ContactFactory()
    with scope(tenant=None):
        taken = [table_statistics.take(), table_statistics.take()]
        monkeypatch.setattr(table_statistics, "_largest", {"default": -100})
        taken.append(table_statistics.take())
    assert taken == ([True, False, True] if connection.vendor == "sqlite" else [False] * 3)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'contacts_contact'")
            assert cursor.fetchone()[0] > 1
