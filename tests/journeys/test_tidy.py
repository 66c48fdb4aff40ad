"""The staff's day in a browser: a messy file is imported and mended until everybody is at Mailchimp, and two entries
of one person become one, there as well."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from contacts.models import Contact, ContactList, EmailAddress, Merge, PhoneNumber
from contacts.tenancy.walls import in_tenant
from integrations.models import Connection
from tests.factories import PASSWORD, ContactFactory, ListMembershipFactory, StaffMemberFactory, UserFactory
from tests.integrations.engine import World
from tests.journeys.conftest import PATIENCE, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
SLOW = PATIENCE * 1000
FILE = (
    "First;Surname;E-mail;Mobile;Do not contact\r\n"
    "Zoë;Núñez;zoe@rivermail.test;(201) 555-0100;no\r\n"
    "Ben;Okoro;ben.okoro@rivermail.test.;;\r\n"
    "Cleo;Hart;cleo.hart@rivermail;2015550102;\r\n"
    "Dana;Silent;dana@rivermail.test;;yes\r\n"
    ";;;;\r\n"
)


@pytest.fixture
def world(installed: Any, tenant: Any, live_server: Any) -> World:
    """A connected organization with one synchronized list, and its owner."""
    owner = UserFactory(email="ana@rivertrust.test", first_name="Ana", last_name="Ruiz")
    StaffMemberFactory(tenant=tenant, user=owner, role="owner")
    with in_tenant(tenant):
        world = World(tenant, installed)
        world.a_list("Newsletter")
    return world


def is_there(world: World, email: str) -> Any:
    """Whether they are subscribed there; asked again until they are, or it is too late."""
    return wait_for(lambda: (world.standing(email) or ("",))[0] == "subscribed")


def test_L6_L12_L30_L34_a_messy_file_is_imported_mended_and_synchronized(
    page: Page, log_in: Any, world: World, worker: Path, tenant: Any, neighbour: Any
) -> None:
    with in_tenant(neighbour):
        ContactFactory(first_name="Next", last_name="Door", email="zoe@rivermail.test")
    log_in("ana@rivertrust.test", PASSWORD)

    # Upload: semicolons, Windows letters, a heading row.
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_role("link", name="Start an import").first.click()
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": FILE.encode("cp1252")}
    )
    page.get_by_role("button", name="Upload and look at the columns").click()
    expect(page.get_by_text("5 of 5 columns were recognised.")).to_be_visible()
    expect(page.get_by_text("Núñez")).to_be_visible()
    page.get_by_label("Put everybody in the file on a list").select_option(label="Newsletter (synchronized)")
    page.get_by_role("button", name="Check every row").click()

    # The preview: nothing has been written.
    button = page.get_by_role("button", name="Add 4 contacts")
    expect(button).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("row", name="Cleo Hart")).to_contain_text("cleo.hart@rivermail")
    with in_tenant(tenant):
        assert not Contact.objects.exists()
    button.click()
    expect(page.get_by_text("4 contacts were added.")).to_be_visible(timeout=SLOW)

    # Two are at Mailchimp; the list says who is not, and why.
    assert is_there(world, "zoe@rivermail.test"), worker.read_text()[-4000:]
    assert is_there(world, "ben.okoro@rivermail.test"), "a stray dot is no reason to lose somebody"
    assert world.there("dana@rivermail.test") is None
    with in_tenant(tenant):
        news = ContactList.objects.get()
        assert str(PhoneNumber.objects.get(contact__last_name="Núñez").number) == "+12015550100"
    page.goto(f"/admin/contacts/contactlist/{news.pk}/change/")
    expect(page.get_by_role("row", name="Dana Silent")).to_contain_text("Do Not Contact")
    cleo = page.get_by_role("row", name="Cleo Hart")
    expect(cleo).to_contain_text("email address")

    # Mend one, from the list.
    cleo.get_by_role("link", name="Cleo Hart", exact=True).click()
    page.get_by_text("Email addresses").first.click()
    page.locator("#email_addresses-group").get_by_text("Add another").click()
    page.locator("input[name='email_addresses-0-address']").fill("cleo.hart@rivermail.test")
    page.get_by_role("button", name="Save", exact=True).first.click()
    assert is_there(world, "cleo.hart@rivermail.test"), worker.read_text()[-4000:]

    with in_tenant(neighbour):
        assert Contact.objects.get().first_name == "Next"
        assert not Connection.objects.exists()


def test_L19_L35_two_entries_of_one_person_are_merged_and_the_service_follows(
    page: Page, log_in: Any, world: World, worker: Path, tenant: Any
) -> None:
    with in_tenant(tenant):
        news = ContactList.objects.get()
        pair = [
            ContactFactory(first_name=first, last_name="Wallingford", email=email, phone="+12015550191")
            for first, email in (("Catherine", "cat@rivermail.test"), ("Katherine", "kat@rivermail.test"))
        ]
        for contact in pair:
            ListMembershipFactory(contact_list=news, contact=contact)
    log_in("ana@rivertrust.test", PASSWORD)
    assert is_there(world, "cat@rivermail.test"), worker.read_text()[-4000:]
    assert is_there(world, "kat@rivermail.test"), worker.read_text()[-4000:]

    page.get_by_role("link", name="Possible duplicates").click()
    page.get_by_role("button", name="Look again").click()
    compare = page.get_by_role("link", name="Compare")

    def is_found() -> bool:
        page.goto("/admin/contacts/duplicatepair/")
        return compare.count() > 0

    assert wait_for(is_found), worker.read_text()[-4000:]
    expect(page.get_by_role("row", name="Catherine Wallingford")).to_contain_text("Same phone number")
    compare.click()
    page.get_by_role("group", name="First name").get_by_label("Katherine").check()
    page.get_by_role("button", name="Merge into").click()

    with in_tenant(tenant):
        kept = Contact.objects.get()
        assert kept.first_name == "Katherine"
        addresses = {row.address: row.is_primary for row in EmailAddress.objects.all()}
        assert sorted(addresses) == ["cat@rivermail.test", "kat@rivermail.test"], "no address is lost"
    (primary,) = [address for address, is_primary in addresses.items() if is_primary]
    (other,) = addresses.keys() - {primary}
    left = wait_for(lambda: (world.standing(other) or ("",))[0] == "archived")
    assert left, f"taken off, and never unsubscribed: {worker.read_text()[-4000:]}"
    assert is_there(world, primary)
    assert wait_for(lambda: world.there(primary)["merge_fields"]["FNAME"] == "Katherine")  # type: ignore[index]

    # A second thought: both are back, here and there.
    page.goto(f"/admin/contacts/contact/{kept.pk}/change/")
    page.get_by_role("link", name="Undo the merge").click()
    page.get_by_role("button", name="Make them two contacts again").click()
    expect(page.get_by_text("two contacts again").first).to_be_visible()
    with in_tenant(tenant):
        assert Contact.objects.count() == 2
        assert Merge.objects.get().undone_at
    assert is_there(world, other), worker.read_text()[-4000:]
    assert is_there(world, primary)
