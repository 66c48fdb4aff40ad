"""The pages of an import: from the file to the report and back, for each role, with a fixed number of queries."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts.importing import turns
from contacts.importing.turns import turn
from contacts.models import Contact, CustomField, Export, Import, ImportPiece, ImportRow
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.contacts.import_desk import checked, imported, row, taken_back, uploaded, work
from tests.factories import ContactFactory, ContactListFactory
from tests.tenancy.people import logged_in
from tests.tenancy.walk import Fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
PAGE = "/admin/contacts/import/"
HEADINGS = "First,Surname,E-mail,Phone,DNC\n"
CONTENT = HEADINGS + "Ana,Ruiz,ana@rivermail.test,call me,\nBen,Okoro,ben@rivermail.test,,yes\n,,foo@,,\n"


def send(client: Client, content: str | bytes = CONTENT, name: str = "people.csv") -> Any:
    body = content.encode() if isinstance(content, str) else content
    return client.post(f"{PAGE}start/", {"file": SimpleUploadedFile(name, body)})


def html(client: Client, data_import: Import, query: str = "") -> str:
    return client.get(f"{PAGE}{data_import.uid}/{query}").content.decode()


def press(client: Client, data_import: Import, name: str, **values: Any) -> Any:
    return client.post(f"{PAGE}{data_import.uid}/{name}/", values)


def report(client: Client, data_import: Import, query: str = "") -> list[list[str]]:
    answer: Any = client.post(f"{PAGE}{data_import.uid}/report/{query}")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_the_first_page_teaches(client: Client) -> None:
    page = client.get(PAGE).content.decode()
    assert "Bring contacts or gifts in from a file" in page
    assert "Start an import" in page
    assert "messy file" not in page


def test_the_demos_file_is_offered_where_there_is_one(client: Client, settings: Any, tmp_path: Path) -> None:
    assert client.get(f"{PAGE}sample/").status_code == 404
    (tmp_path / "sample.csv").write_bytes(b"First\r\nAna\r\n")
    settings.SAMPLE_IMPORT_FILE = str(tmp_path / "sample.csv")
    assert f"{PAGE}sample/" in client.get(PAGE).content.decode()
    sample: Any = client.get(f"{PAGE}sample/")
    assert b"".join(sample.streaming_content) == b"First\r\nAna\r\n"


def test_from_the_file_to_the_report_and_back(client: Client) -> None:
    news = ContactListFactory(name="Newsletter")
    sent = send(client)
    data_import = Import.objects.get()
    assert sent["Location"] == f"{PAGE}{data_import.uid}/"
    page = html(client, data_import)
    for words in (
        "5 of 5 columns were recognised",
        "ana@rivermail.test",
        "Check every row",
        "Newsletter (synchronized)",
    ):
        assert words in page
    values = Fields(page).values | {"list": str(news.uid), "tag": "spring"}
    press(client, data_import, "check", **values)
    assert "Looking at every row" in html(client, data_import)
    assert not Contact.objects.exists()
    turn(data_import.pk)
    page = html(client, data_import)
    for words in (
        "2 contacts will be added", "1 row cannot be used", "Add 2 contacts", "“call me”",
        "1 contact will be marked Do Not Contact", "2 contacts will be put on “Newsletter”",
        "The import itself writes to nobody",
    ):  # fmt: skip
        assert words in page
    assert not Contact.objects.exists()
    press(client, data_import, "confirm")
    assert "Importing …" in html(client, data_import)
    turn(data_import.pk)
    page = html(client, data_import)
    assert "2 contacts were added" in page and "Take this import back" in page
    assert sorted(map(str, Contact.objects.all())) == ["Ana Ruiz", "Ben Okoro"]
    press(client, data_import, "look-back")
    turn(data_import.pk)
    page = html(client, data_import)
    assert "2 contacts that the import added will be deleted" in page and "To be deleted" in page
    press(client, data_import, "take-back")
    turn(data_import.pk)
    page = html(client, data_import)
    assert "This import was taken back" in page and "2 contacts that the import had added were deleted." in page
    assert "2 deleted" in client.get(PAGE).content.decode()
    assert not Contact.objects.exists()


def test_columns_that_do_not_come_in_are_named_with_the_way_out_and_so_are_left_out_values(client: Client) -> None:
    send(client, "First,Surname,E-mail,Shoe size\nAna,Ruiz,foo@,44.5\nBen,Okoro,ben@rivermail.test,41\n")
    data_import = Import.objects.get()
    page = html(client, data_import)
    assert "<strong>Shoe size</strong> was not recognised." in page and "/admin/contacts/customfield/add/" in page
    CustomField.objects.create(name="Shoe size", kind=CustomField.Kind.NUMBER)
    assert '<optgroup label="Your own fields">' in html(client, data_import) or "Shoe size</option>" in html(
        client, data_import
    ), "it is offered as soon as it is there"
    chosen = {f"column-{n}": one["field"] for n, one in enumerate(data_import.columns)}
    press(client, data_import, "check", **chosen, match="name", empty="leave", region="US")
    work(data_import)
    page = html(client, data_import)
    assert "<strong>This column does not come in:</strong> Shoe size." in page
    press(client, data_import, "confirm")
    work(data_import)
    page = html(client, data_import)
    assert "To bring in what was left out:" in page and "?show=noted#rows" in page


def test_L37_where_more_rows_than_contacts_are_taken_back_the_sentence_says_so(client: Client) -> None:
    """The sentence counts contacts, the filters below it rows: without a word they seem to contradict each other."""
    data_import = imported(
        "First,Last,Email,Title\nAna,Ruiz,ana@x.test,\nBen,Okoro,ben@x.test,\nAna,Ruiz,ana@x.test,Vet\n"
    )
    press(client, data_import, "look-back")
    turn(data_import.pk)
    page = html(client, data_import)
    assert "2 contacts that the import added will be deleted. 3 rows of the file are about them." in page
    press(client, data_import, "take-back")
    turn(data_import.pk)
    assert "2 contacts that the import had added were deleted. 3 rows of the file" in html(client, data_import)


def test_the_progress_part_loads_the_page_anew_when_the_import_has_moved_on(client: Client) -> None:
    data_import = checked(CONTENT)
    assert "HX-Refresh" in client.get(f"{PAGE}{data_import.uid}/progress/?was=checking").headers
    assert "HX-Refresh" not in client.get(f"{PAGE}{data_import.uid}/progress/?was=ready").headers


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "people.csv", "empty"),
        (b"\n \n,,,\n", "people.csv", "empty"),
        (b"%PDF-1.7 whatever", "people.csv", "PDF"),
        (b"First,Last\n", "people.csv", "no rows below"),
        (b"PK\x03\x04junk", "people.xlsx", "damaged"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_on_the_spot(
    client: Client, content: bytes, name: str, said: str
) -> None:
    answer = send(client, content, name)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Import.objects.exists() and not ImportPiece.objects.exists()


def test_no_file_at_all_and_one_that_is_too_large_get_a_sentence(client: Client, settings: Any) -> None:
    assert "Choose a file first" in client.post(f"{PAGE}start/", {}).content.decode()
    settings.IMPORT_MAX_MB = 1
    answer = send(client, "First\n" + "Ana\n" * 300_000)
    assert answer.status_code == 400
    assert "larger than 1 MB" in answer.content.decode()
    assert not ImportPiece.objects.exists()


def test_columns_that_clash_are_said_and_what_was_chosen_stays(client: Client) -> None:
    data_import = uploaded(CONTENT)
    values = Fields(html(client, data_import)).values | {"column-0": "email", "tag": "spring"}
    answer = press(client, data_import, "check", **values)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "“First” and “E-mail” cannot both be Email" in page
    assert Fields(page).values["column-0"] == "email" and Fields(page).values["tag"] == "spring"
    assert Import.objects.get().state == Import.State.UPLOADED


def test_nonsense_in_the_form_is_refused(client: Client) -> None:
    data_import = uploaded(CONTENT)
    values = Fields(html(client, data_import)).values
    for wrong in (
        {"list": "x"},
        {"list": "00000000-0000-4000-8000-000000000001"},
        {"region": "Narnia"},
        {"tag": "x" * 90},
    ):
        assert press(client, data_import, "check", **values | wrong).status_code == 400, wrong
    assert press(client, data_import, "check", **values | {"column-0": "tenant", "match": "x"}).status_code == 302
    data_import.refresh_from_db()
    assert data_import.columns[0]["field"] == ""


def test_letters_that_look_wrong_can_be_read_another_way(client: Client) -> None:
    data_import = uploaded("First,Last\nŁukasz,Wójcik\n".encode("cp1250"))
    assert "Łukasz" not in html(client, data_import)
    press(client, data_import, "read-again", encoding="cp1250", header="1")
    assert "Łukasz" in html(client, data_import)
    answer = client.post(f"{PAGE}{data_import.uid}/read-again/", {"encoding": "utf-16"}, follow=True)
    assert "Choose another way" in answer.content.decode()
    assert "Łukasz" in html(client, data_import)


def test_the_headings_can_be_in_another_row(client: Client) -> None:
    data_import = uploaded("First,Last\nVorname,Nachname\nAna,Ruiz\n")
    press(client, data_import, "read-again", header="2")
    assert [one["header"] for one in Import.objects.get().columns] == ["Vorname", "Nachname"]


def test_what_is_pressed_too_late_does_nothing_and_says_so(client: Client) -> None:
    data_import = imported(CONTENT)
    for name in ("check", "confirm", "cancel", "columns", "take-back", "leave", "again", "read-again"):
        answer = client.post(f"{PAGE}{data_import.uid}/{name}/", follow=True)
        assert "Somebody did that already" in answer.content.decode(), name
    data_import.refresh_from_db()
    assert data_import.state == Import.State.DONE
    assert client.get(f"{PAGE}{data_import.uid}/confirm/").status_code == 405


def test_rows_are_filtered_searched_and_paged(client: Client) -> None:
    data_import = checked("First,Email\n" + "".join(f"Ana{n},a{n}@x.test\n" for n in range(60)) + ",foo@\n")
    assert "1 to 25 of 61" in html(client, data_import)
    assert "51 to 61 of 61" in html(client, data_import, "?p=3")
    assert "There is no name" in html(client, data_import, "?show=refused")
    assert "Ana7" not in html(client, data_import, "?show=refused")
    assert "Ana44" in html(client, data_import, "?q=ana44")
    assert "Ana9" in html(client, data_import, "?q=11")
    for odd in ("?show=nonsense", "?p=x", "?q=99999999999999999999", "?q=%27%22%3Cb%3E"):
        assert client.get(f"{PAGE}{data_import.uid}/{odd}").status_code == 200


def test_more_rows_take_no_more_queries(client: Client) -> None:
    ContactListFactory(name="Newsletter")

    def cost(count: int) -> list[int]:
        lines = "".join(f"Ana{n},a{count}-{n}@x.test,vip,Newsletter\n" for n in range(count))
        content = "First,Email,Tags,Lists\n" + lines
        found = []
        for data_import in (uploaded(content), checked(content), imported(content)):
            html(client, data_import)
            with CaptureQueriesContext(connection) as queries:
                html(client, data_import)
            found.append(len(queries))
        for page in (PAGE, f"/admin/contacts/contact/?import={data_import.pk}"):
            with CaptureQueriesContext(connection) as queries:
                client.get(page)
            found.append(len(queries))
        return found

    few, many = cost(2), cost(40)
    assert many == few
    assert max(few) <= 25


def test_a_row_that_repeats_another_one_says_so_and_is_not_counted_as_a_change(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "BATCH", 2)
    ContactFactory(first_name="Ben", last_name="", email="ben@x.test")
    content = (
        "First,Email,Title\nAna,ana@x.test,\nBen,ben@x.test,\nBen,ben@x.test,Vet\nAna,ana@x.test,\n"
        "Ana,ana@x.test,Judge\nBen,ben@x.test,Vet\n"
    )
    data_import = checked(content)
    for state, done in (("ready", "will be"), ("done", "was")):
        assert data_import.state == state
        page = html(client, data_import)
        for words in (
            f"1 contact {done} added.", f"1 contact {done} changed.", "1 row says what is here already.",
            "4 rows repeat an earlier row of the file: 2 add something to it, 2 say nothing new.",
            "Repeat another row <b>4",
        ):  # fmt: skip
            assert words in page, words
        repeats = html(client, data_import, "?show=repeated")
        assert [repeats.count(f">Repeats row {number}<") for number in (2, 3)] == [2, 2]
        assert [line[4] for line in report(client, data_import, "?show=repeated")[1:]] == [
            "Repeats row 3.", "Repeats row 2.", "Repeats row 2.", "Repeats row 3."
        ]  # fmt: skip
        if state == "ready":
            assert "Add 1 contact and change 1" in page
            press(client, data_import, "confirm")
            work(data_import)


def test_the_contacts_of_an_import_can_be_seen_by_themselves(client: Client, neighbour: Tenant) -> None:
    people = "/admin/contacts/contact/"
    ContactFactory(first_name="Zoe", email="zoe@x.test")
    data_import = imported(CONTENT)
    assert f"{people}?import={data_import.pk}" in html(client, data_import)
    page = client.get(people, {"import": data_import.pk}).content.decode()
    assert "Ana Ruiz" in page and "Ben Okoro" in page and "Zoe" not in page
    with inside(neighbour):
        theirs = imported("First,Last\nZoe,Secret\n")
    for other in (theirs.pk, "x", "9" * 40):
        page = client.get(people, {"import": other}).content.decode()
        assert "Ana Ruiz" not in page and "Zoe" not in page, other
    assert f'value="{data_import.pk}">people.csv, ' in page and f'value="{theirs.pk}">' not in page
    taken_back(data_import)
    page = client.get(people, {"import": data_import.pk}).content.decode()
    assert "Ana Ruiz" not in page and "Zoe" not in page


# --- the report ---


def test_the_report_can_be_corrected_and_uploaded_again(client: Client) -> None:
    data_import = imported(CONTENT)
    lines = report(client, data_import)
    assert lines[0] == ["First", "Surname", "E-mail", "Phone", "DNC", "Outcome", "What to do", "Almoner id"]
    assert [line[5] for line in lines[1:]] == ["Added", "Added", "Refused"]
    assert "“call me” is not a phone number" in lines[1][6]
    lines[1][3], lines[3][0], lines[3][2] = "415 555 0100", "Cy", "cy@rivermail.test"
    file = io.StringIO()
    csv.writer(file).writerows(lines)
    again = imported(file.getvalue())
    assert [one["field"] for one in again.columns][5:] == ["", "", "uid"]
    assert list(again.rows.values_list("outcome", flat=True)) == ["update", "unchanged", "create"]
    assert Contact.objects.count() == 3
    assert report(client, again)[0] == lines[0]


def test_the_report_is_safe_to_open_and_comes_back_as_it_was(client: Client) -> None:
    data_import = imported("First,Last,Notes\n=1+1,Ruiz,@home\n")
    line = report(client, data_import)[1]
    assert line[0] == "'=1+1" and line[2] == "'@home"
    imported(f"First,Last,Notes,Almoner id\n{line[0]},Ruiz,{line[2]},{line[-1]}\n")
    assert Contact.objects.get().first_name == "=1+1"


def test_only_some_rows_can_be_downloaded_and_each_download_is_noted(client: Client) -> None:
    data_import = imported(CONTENT)
    assert [line[2] for line in report(client, data_import, "?show=refused")[1:]] == ["foo@"]
    noted = Export.objects.get()
    assert (noted.rows, noted.chosen) == (1, "Refused")
    as_excel = press(client, data_import, "report", form="xlsx")
    assert as_excel.headers["Content-Disposition"].endswith('.xlsx"')
    assert client.get(f"{PAGE}{data_import.uid}/report/").status_code == 405, (
        "a link that is followed takes nothing out"
    )
    assert Export.objects.count() == 2


def test_after_it_was_taken_back_the_report_says_so(client: Client) -> None:
    data_import = taken_back(imported(CONTENT))
    assert [line[5] for line in report(client, data_import)[1:]] == ["Deleted", "Deleted", "Refused"]
    assert all(line[7] == "" for line in report(client, data_import)[1:])


# --- who may ---


def test_a_viewer_may_look_and_nothing_else(tenant: Tenant) -> None:
    viewer = logged_in(tenant, Role.VIEWER)
    data_import = checked(CONTENT)
    page = html(viewer, data_import)
    assert "Ana Ruiz" in page and "Somebody who may change contacts confirms this" in page
    assert "Start an import" not in viewer.get(PAGE).content.decode()
    assert viewer.get(f"{PAGE}start/").status_code == 403
    assert send(viewer).status_code == 403
    for name in (
        "report",
        "check",
        "confirm",
        "cancel",
        "columns",
        "look-back",
        "take-back",
        "leave",
        "again",
        "read-again",
    ):
        assert press(viewer, data_import, name).status_code == 403, name
    data_import.refresh_from_db()
    assert data_import.state == Import.State.READY
    assert Import.objects.count() == 1


def test_staff_may_import(tenant: Tenant) -> None:
    staff = logged_in(tenant, Role.STAFF)
    assert send(staff).status_code == 302
    data_import = work(Import.objects.get())
    assert press(staff, data_import, "check", **Fields(html(staff, data_import)).values).status_code == 302


def test_the_neighbours_imports_are_not_there(client: Client, neighbour: Tenant) -> None:
    with inside(neighbour):
        ContactFactory(first_name="Secret", email="secret@x.test")
        theirs = checked("First,Email\nSecret,secret@x.test\n")
    for name in ("", "progress/", "report/"):
        assert client.get(f"{PAGE}{theirs.uid}/{name}").status_code == 404
    for name in (
        "report",
        "check",
        "confirm",
        "cancel",
        "columns",
        "look-back",
        "take-back",
        "leave",
        "again",
        "read-again",
    ):
        assert press(client, theirs, name).status_code == 404
    assert client.get(f"{PAGE}{theirs.pk}/change/").status_code == 404
    assert "people.csv" not in client.get(PAGE).content.decode()
    with inside(neighbour):
        theirs.refresh_from_db()
        assert theirs.state == Import.State.READY
        assert ImportRow.objects.filter(data_import=theirs).count() == 1


def test_the_row_in_the_list_of_imports_leads_to_its_page(client: Client) -> None:
    data_import = imported(CONTENT)
    assert "2 added, 1 refused" in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}{data_import.pk}/change/")["Location"] == f"{PAGE}{data_import.uid}/"
    assert row(data_import, 4).reason
