"""What a row does: whom it finds, what it changes, what is left out with a sentence, and when it is refused."""

import pytest

from contacts.importing import columns, values
from contacts.importing.columns import Choices
from contacts.models import (
    Contact,
    ContactList,
    CustomField,
    EmailAddress,
    ImportRow,
    ListMembership,
    OutsideIdentifier,
    PhoneNumber,
)
from tests.contacts.import_desk import checked, imported, outcomes, picture, row
from tests.factories import ContactFactory, ContactListFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


# --- columns ---


@pytest.mark.parametrize(
    ("heading", "key"),
    [
        ("E-mail", "email"), ("EMAIL ADDRESS", "email"), ("First", "first_name"), ("Surname", "last_name"),
        ("Zip", "postal_code"), ("Post Code", "postal_code"), ("Mobile", "phone:mobile"), ("Cell", "phone:mobile"),
        ("Organisation", "organization_name"), ("Company", "organization_name"), ("Tags", "tags"), ("Lists", "lists"),
        ("Do Not Contact", "do_not_contact"), ("Opt out", "do_not_contact"), ("Unsubscribed", "do_not_contact"),
        ("Subscribed?", "may_contact"), ("Full Name", "full_name"), ("Comments", "notes"), ("Id", "custom_user_id"),
        ("DonorPerfect ID", "identifier:DonorPerfect"), ("Prénom", "first_name"), ("Nachname", "last_name"),
        ("Donor's primary email", "email"), ("Almoner id", "uid"), ("Outcome", ""), ("What to do", ""),
        ("Shoe size", ""), ("T-shirt size", "custom"),
    ],
)  # fmt: skip
def test_headings_are_recognised_in_the_words_that_people_use(heading: str, key: str) -> None:
    field = CustomField.objects.create(name="T-shirt size")
    expected = f"custom:{field.uid}" if key == "custom" else key
    assert columns.recognise([heading], [["x"]], Choices.here()) == [expected]


def test_a_second_email_and_a_second_phone_are_further_ones() -> None:
    found = columns.recognise(["Email", "E-mail", "Phone", "Telephone", "First", "Given name"], [], Choices())
    assert found == ["email", "other_email", "phone", "other_phone", "first_name", ""]


def test_a_column_without_a_known_heading_is_known_by_its_addresses() -> None:
    assert columns.recognise(["Kontakt"], [["a@rivermail.test"], ["b@rivermail.test"]], Choices()) == ["email"]


def test_what_an_export_is_headed_with_is_recognised() -> None:
    from contacts.exporting.columns import COLUMNS

    unknown = {"Household", "Household greeting", "Email problem", "Other addresses", "Added on", "Last changed"}
    headings = [column.heading for column in COLUMNS if column.heading not in unknown]
    found = dict(zip(headings, columns.recognise(headings, [], Choices()), strict=True))
    assert [heading for heading, key in found.items() if not key] == []


# --- values ---


@pytest.mark.parametrize(
    ("cell", "good"),
    [
        (" Ana@Rivermail.test ", ["Ana@rivermail.test"]), ("mailto:ana@rivermail.test", ["ana@rivermail.test"]),
        ("ANA.RUIZ@RIVERMAIL.TEST", ["ana.ruiz@rivermail.test"]), ("AnaRuiz@X.TEST", ["AnaRuiz@x.test"]),
        ("Ana Ruiz <ana@rivermail.test>", ["ana@rivermail.test"]), ("ana@rivermail.test.", ["ana@rivermail.test"]),
        ("a@x.test; b@x.test", ["a@x.test", "b@x.test"]), ("ana\u200b@rivermail.test", ["ana@rivermail.test"]),
        ("ana@@rivermail.test", []), ("ana at rivermail", []), ("ana@river mail.test", []),
    ],
)  # fmt: skip
def test_email_addresses_are_mended_where_it_is_obvious_and_never_invented(cell: str, good: list[str]) -> None:
    assert values.email_addresses(cell)[0] == good


@pytest.mark.parametrize(
    ("row", "is_said"),
    [("7030,US", True), ("7030,", True), ("07030,US", False), ("7030,CH", False), ("501-1234,US", True)],
)
def test_a_postal_code_that_lost_its_zero_is_noted_and_kept(row: str, is_said: bool) -> None:
    data_import = checked(f"First,Last,Street,Zip,Country\nAna,Ruiz,1 Mill Lane,{row}\n", region="US")
    kept = ImportRow.objects.get(data_import=data_import)
    assert any("short of five digits" in one for one in kept.warnings) == is_said
    assert kept.changes["postal_code"][1] == row.partition(",")[0]


@pytest.mark.parametrize(
    "cell", ["(415) 555-0100", "415.555.0100", "+1 415 555 0100", "1-415-555-0100", "4155550100", "tel:+1-415-555-0100"]
)
def test_phone_numbers_are_kept_in_one_form(cell: str) -> None:
    assert values.phone_number(cell, ("US",)) == ("+14155550100", "")


@pytest.mark.parametrize(
    ("full", "parts"),
    [
        ("Ana Ruiz", ("Ana", "Ruiz")), ("Ruiz, Ana", ("Ana", "Ruiz")), ("Cher", ("Cher", "")),
        ("Ludwig van Beethoven", ("Ludwig", "van Beethoven")), ("Martin L King Jr.", ("Martin L", "King Jr.")),
    ],
)  # fmt: skip
def test_full_names_are_divided(full: str, parts: tuple[str, str]) -> None:
    assert values.names(full) == parts


@pytest.mark.parametrize(
    ("cell", "is_out"),
    [("yes", True), ("x", True), ("2021-03-01", True), ("moved away", True), ("no", False), ("0", False), ("", None)],
)
def test_L35_what_is_no_clear_no_in_a_column_of_do_not_contact_is_a_yes(cell: str, is_out: bool | None) -> None:
    assert values.opted_out(cell) is is_out


# --- whom a row finds ---


def test_L8_a_couple_with_one_address_stays_two_people() -> None:
    grace = ContactFactory(first_name="Grace", last_name="Foster", email="fosters@rivermail.test")
    done = imported(
        "First,Last,Email,Title\nGrace,Foster,fosters@rivermail.test,Vet\nWalter,Foster,fosters@rivermail.test,Judge\n"
    )
    assert outcomes(done) == ["update", "create"]
    assert "taken to be somebody else" in row(done, 3).warnings[0]
    grace.refresh_from_db()
    assert (grace.first_name, grace.job_title) == ("Grace", "Vet")
    assert EmailAddress.objects.filter(address_key="fosters@rivermail.test").count() == 2


def test_by_address_alone_the_name_is_corrected() -> None:
    ContactFactory(first_name="Jon", last_name="Foster", email="jon@rivermail.test")
    done = imported("First,Last,Email\nJohn,Foster,jon@rivermail.test\n", match="email")
    assert row(done, 2).changes == {"first_name": ["Jon", "John"]}


def test_where_several_share_an_address_the_name_decides_and_without_one_the_row_is_refused() -> None:
    for name in ("Grace", "Walter"):
        ContactFactory(first_name=name, last_name="Foster", email="fosters@rivermail.test")
    done = checked("First,Last,Email,Title\nWalter,Foster,fosters@rivermail.test,Judge\n,,fosters@rivermail.test,Vet\n",
                   match="email")  # fmt: skip
    assert outcomes(done) == ["update", "refused"]
    assert "Grace Foster and Walter Foster share the address" in row(done, 3).reason


def test_identifiers_come_before_the_address() -> None:
    ana = ContactFactory(first_name="Ana", last_name="Ruiz", email="old@rivermail.test")
    OutsideIdentifier.objects.create(contact=ana, system="DonorPerfect", value="17")
    ContactFactory(first_name="Ben", last_name="Okoro", email="ben@rivermail.test")
    done = imported("DonorPerfect ID,First,Last,Email\n17,Ana,Ruiz,new@rivermail.test\n")
    assert row(done, 2).changes == {"email": ["old@rivermail.test", "new@rivermail.test"]}
    assert ana.email_addresses.get().address == "new@rivermail.test"


def test_our_own_id_finds_its_contact_and_one_that_is_gone_does_no_harm() -> None:
    ana = ContactFactory(first_name="Ana", last_name="Ruiz")
    gone = "00000000-0000-4000-8000-000000000001"
    done = imported(f"Almoner id,First,Last\n{ana.uid},Anna,Ruiz\n{gone},Ben,Okoro\nnonsense,Cy,Day\n")
    assert outcomes(done) == ["update", "create", "create"]
    assert "not used" in row(done, 3).warnings[0]


def test_an_identifier_that_several_have_refuses_the_row() -> None:
    for _ in range(2):
        ContactFactory(custom_user_id="M1", first_name="Ana", last_name="Ruiz")
    done = checked("Member No,First\nM1,Ana\n")
    assert outcomes(done) == ["refused"]
    assert "Merge them first" in row(done, 2).reason


def test_somebody_without_an_address_is_found_by_name_and_phone() -> None:
    ana = ContactFactory(first_name="Ana", last_name="Ruiz", email="", phone="+14155550100")
    done = imported("First,Last,Phone,Title\nAna,Ruiz,415-555-0100,Vet\nBen,Ruiz,415-555-0100,Judge\n")
    assert outcomes(done) == ["update", "create"]
    ana.refresh_from_db()
    assert ana.job_title == "Vet"


def test_the_same_person_twice_in_a_file_is_one_contact_and_the_preview_says_so() -> None:
    seen = checked("First,Last,Email,Title\nAna,Ruiz,ana@rivermail.test,Vet\nAna,Ruiz,ANA@rivermail.test,Judge\n")
    assert outcomes(seen) == ["create", "update"]
    assert row(seen, 3).changes == {"job_title": ["Vet", "Judge"]}
    assert row(seen, 2).contact_uid == row(seen, 3).contact_uid


def test_importing_the_same_file_again_changes_nothing() -> None:
    content = "Name,Email,Phone,Street,City,Tags,Notes\nAna Ruiz,a@x.test,4155550100,1 Mill Lane,Portland,vip,Hi\n"
    imported(content)
    before = picture()
    assert outcomes(imported(content)) == ["unchanged"]
    assert picture() == before


# --- what it changes ---


def test_an_empty_cell_leaves_what_is_there_unless_it_was_chosen_to_clear() -> None:
    ana = ContactFactory(first_name="Ana", last_name="Ruiz", email="ana@rivermail.test", job_title="Vet",
                         notes="Kept", do_not_contact=True, phone="+14155550100")  # fmt: skip
    content = "Email,Title,Phone,Notes,DNC\nana@rivermail.test,,,,\n"
    assert outcomes(checked(content)) == ["unchanged"]
    imported(content, empty="clear")
    ana.refresh_from_db()
    assert (ana.job_title, ana.notes, ana.do_not_contact) == ("", "Kept", True)
    assert not ana.phone_numbers.exists()


def test_what_cannot_be_read_is_left_out_with_the_value_and_the_row_goes_on() -> None:
    field = CustomField.objects.create(name="Visits", kind=CustomField.Kind.NUMBER)
    done = imported("First,Email,Phone,Country,Visits,Lists\nAna,ana@@x,call me,Narnia,many,Nope\n")
    assert outcomes(done) == ["create"]
    said = " ".join(row(done, 2).warnings)
    for word in ("“ana@@x”", "“call me”", "“Narnia”", "“many”", "“Nope”", field.name):
        assert word in said
    assert Contact.objects.get().first_name == "Ana"


def test_an_unreadable_value_is_no_empty_one() -> None:
    ContactFactory(first_name="Ana", last_name="Ruiz", email="ana@rivermail.test", custom_user_id="M1")
    done = imported("Member No,Email\nM1,ana@@rivermail\n", empty="clear")
    assert outcomes(done) == ["unchanged"]
    assert EmailAddress.objects.get().address == "ana@rivermail.test"


def test_a_row_of_which_nothing_can_be_used_is_refused() -> None:
    done = checked("First,Email,City\n,foo@,Portland\n")
    assert outcomes(done) == ["refused"]
    assert "“foo@”" in row(done, 2).reason


def test_words_for_nothing_are_only_text() -> None:
    imported("First,Last\nNULL,N/A\n")
    contact = Contact.objects.get()
    assert (contact.first_name, contact.last_name) == ("NULL", "N/A")


def test_custom_fields_lists_tags_and_identifiers_arrive() -> None:
    size = CustomField.objects.create(name="Size", kind=CustomField.Kind.CHOICE, choices=["S", "M"])
    since = CustomField.objects.create(name="Member since", kind=CustomField.Kind.DATE)
    board = ContactListFactory(name="Board, and friends")
    news = ContactListFactory(name="Newsletter")
    imported(
        "First,Size,Member since,Lists,Tags,Other ids\n"
        'Ana,m,3/31/2026,"Board, and friends","vip; Driver","DonorPerfect: 17; Luminate: a-1"\n',
        list=str(news.uid), tag="gala 2026",
    )  # fmt: skip
    ana = Contact.objects.get()
    assert {row.field_id: row.value for row in ana.custom_values.all()} == {size.pk: "M", since.pk: "2026-03-31"}
    assert {row.contact_list for row in ana.memberships.all()} == {board, news}
    assert sorted(str(row) for row in ana.contact_tags.all()) == ["Driver", "gala 2026", "vip"]
    assert sorted(str(row) for row in ana.outside_identifiers.all()) == ["DonorPerfect: 17", "Luminate: a-1"]


def test_a_tag_in_other_letters_is_the_same_tag() -> None:
    imported("First,Tags\nAna,volunteer\nBen,Volunteer\n")
    imported("First,Tags\nCy,VOLUNTEER\n")
    assert len({row.tag_id for contact in Contact.objects.all() for row in contact.contact_tags.all()}) == 1


def test_phones_of_several_kinds_and_the_country_of_the_row() -> None:
    imported("First,Phone,Mobile,Country\nAna,030 901820,0151 23456789,Germany\nBen,415 555 0100,,\n")
    assert sorted((str(row.number), row.label) for row in PhoneNumber.objects.all()) == [
        ("+14155550100", ""), ("+4915123456789", "mobile"), ("+4930901820", ""),
    ]  # fmt: skip


def test_a_number_that_is_there_under_another_label_is_not_added_again() -> None:
    ana = ContactFactory(email="ana@rivermail.test", phone="+14155550100")
    PhoneNumber.objects.filter(contact=ana).update(label="mobile")
    assert outcomes(checked("Email,Phone\nana@rivermail.test,415-555-0100\n")) == ["unchanged"]


def test_an_address_that_bounced_is_good_again_when_it_is_replaced() -> None:
    ana = ContactFactory(email="old@rivermail.test", email_state="bounced", custom_user_id="M1")
    imported("Member No,Email\nM1,new@rivermail.test\n")
    assert [(e.address, e.state, e.is_primary) for e in ana.email_addresses.all()] == [
        ("new@rivermail.test", "ok", True)
    ]


def test_an_organization_is_one_when_there_is_no_person() -> None:
    imported("First,Last,Company,Email\n,,Mill Bakery,shop@rivermail.test\nAna,Ruiz,Mill Bakery,ana@rivermail.test\n")
    assert list(Contact.objects.order_by("pk").values_list("kind", flat=True)) == ["organization", "person"]


def test_somebody_elses_identifier_is_left_out() -> None:
    ben = ContactFactory(first_name="Ben")
    OutsideIdentifier.objects.create(contact=ben, system="DonorPerfect", value="17")
    ana = ContactFactory(first_name="Ana", last_name="Ruiz")
    done = imported(f"Almoner id,First,DonorPerfect ID\n{ana.uid},Ana,17\n")
    assert "belongs to Ben" in row(done, 2).warnings[0]
    assert OutsideIdentifier.objects.get().contact == ben


def test_too_many_cells_are_said() -> None:
    done = checked("First,Last\n" + "Ana,Ruiz\n" * 9 + "Ben,Okoro,oops\n")
    assert "more cells than there are headings" in row(done, 11).warnings[0]


def test_a_row_swallowed_by_a_quotation_mark_is_refused_and_says_so() -> None:
    done = checked('First,Notes\nAna,"open\n' + "Ben,x\n" * 150)
    assert outcomes(done) == ["refused"]
    assert "quotation mark" in row(done, 2).reason


def test_columns_that_claim_one_field_are_refused_by_name() -> None:
    assert columns.clashes(["first_name", "first_name"], ["A", "B"], Choices()) == [
        "“A” and “B” cannot both be First name. Choose something else for one."
    ]
    assert columns.clashes(["notes", "notes", "tags"], ["A", "B", "C"], Choices()) == []
    assert columns.clashes(["", ""], ["A", "B"], Choices())


# --- consent ---


def test_L35_an_import_sets_do_not_contact_and_never_clears_it() -> None:
    ana = ContactFactory(email="ana@rivermail.test", do_not_contact=True)
    ben = ContactFactory(email="ben@rivermail.test")
    done = imported("Email,Do not contact\nana@rivermail.test,no\nben@rivermail.test,yes\n")
    assert "never takes that mark away" in row(done, 2).warnings[0]
    assert done.counts["marked"] == 1
    ana.refresh_from_db()
    ben.refresh_from_db()
    assert ana.do_not_contact and ben.do_not_contact


def test_L35_a_no_in_a_column_of_consent_marks_and_a_yes_clears_nothing() -> None:
    ana = ContactFactory(email="ana@rivermail.test", do_not_contact=True)
    ben = ContactFactory(email="ben@rivermail.test")
    imported("Email,Subscribed\nana@rivermail.test,yes\nben@rivermail.test,unsubscribed\n")
    ana.refresh_from_db()
    ben.refresh_from_db()
    assert ana.do_not_contact and ben.do_not_contact


def test_L7_lists_that_may_not_be_used_are_marked_where_they_are_on_them() -> None:
    news = ContactListFactory(name="Newsletter")
    imported(
        "Email,Lists,Do Not Contact on lists\na@rivermail.test,Newsletter,Newsletter\nb@rivermail.test,,Newsletter\n"
    )
    assert [(m.contact_list, m.do_not_contact) for m in ListMembership.objects.all()] == [(news, True)]
    assert ContactList.objects.count() == 1
