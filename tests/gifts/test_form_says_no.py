"""What a form that asks can say: a no to news is a no (O5, O10); a donation in another currency is refused; the form
that staff copy says the same on a page of any encoding."""

import pytest
from django.test import Client

from contacts.mail_status import mail_statuses
from contacts.models import ConsentEvent, Contact
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.donating import background
from gifts.models import Donation
from tests.gifts.donating import page_of
from tests.gifts.osdi import Program, error, said, uid_in

pytestmark = pytest.mark.django_db
NEW = "new@rivermail.test"


@pytest.fixture
def page(tenant: Tenant) -> str:
    return f"/fundraising_pages/{page_of(tenant).uid}"


def mail(address: str = NEW, **more: object) -> dict[str, object]:
    return {"email_addresses": [{"address": address, "almoner:asked": True} | more]}


def status(tenant: Tenant, address: str = NEW) -> str:
    with in_tenant(tenant):
        contact = Contact.objects.get(email_addresses__address_key=address)
        return mail_statuses([contact])[contact.pk]


@pytest.mark.parametrize("query", [{}, {"background_request": "true"}])
def test_O5_who_was_asked_and_did_not_say_yes_is_not_subscribed(
    tenant: Tenant, page: str, query: dict[str, str]
) -> None:
    said(Program(None).give(page, query, person=mail()))
    background.turn(tenant.pk)
    assert status(tenant) == "unsubscribed"
    with in_tenant(tenant):
        assert not ConsentEvent.objects.filter(kind=ConsentEvent.Kind.OPT_IN).exists()
    # The same with a yes, and where nobody asked (O5).
    for address, person in (("yes@x.test", mail("yes@x.test", status="subscribed")),
                            ("plain@x.test", {"email_addresses": [{"address": "plain@x.test"}]})):  # fmt: skip
        said(Program(None).give(page, query, person=person))
        background.turn(tenant.pk)
        assert status(tenant, address) == "subscribed"
    # And they may say yes another time.
    said(Program(None).give(page, query, person=mail(status="subscribed")))
    background.turn(tenant.pk)
    assert status(tenant) == "subscribed"


def test_O5_a_no_in_a_form_takes_nothing_from_somebody_who_is_here(tenant: Tenant, page: str) -> None:
    said(Program(None).give(page, person={"email_addresses": [{"address": NEW}]}))
    said(Program(None).give(page, person=mail()))
    assert status(tenant) == "subscribed"


def test_O5_the_no_of_somebody_of_whom_only_a_number_was_known_counts(tenant: Tenant, page: str) -> None:
    number = {"phone_numbers": [{"number": "2025550123"}]}
    said(Program(None).give(page, person=number))
    said(Program(None).give(page, person=mail() | number))
    assert status(tenant) == "unsubscribed"


def test_O7_a_no_does_not_travel_up_as_a_yes(tenant: Tenant, neighbour: Tenant, page: str) -> None:
    tenant.parent = neighbour
    tenant.save()
    said(Program(None).give(page, person=mail()))
    with in_tenant(neighbour):
        assert not Contact.objects.exists()


def test_O2_a_donation_in_another_currency_is_refused(tenant: Tenant, page: str) -> None:
    for program in (Program(tenant), Program(None)):
        assert "USD" in error(program.give(page, currency="EUR"))
    assert "currency" in error(Program(tenant).give(page, currency=["USD"]))
    with in_tenant(tenant):
        assert not Donation.objects.exists() and not Contact.objects.exists()
    made = said(Program(tenant).give(page, currency="usd"))
    at = f"{page}/donations/{uid_in(made)}"
    assert "USD" in error(
        Program(tenant).put(at, {"currency": "EUR", "recipients": [{"display_name": "x", "amount": "9"}]})
    )
    assert said(Program(tenant).get(at))["amount"] == "3.00"
    assert "USD" in error(Program(tenant).put(page, {"title": "x", "currency": "EUR"}))
    assert "USD" in error(Program(tenant).post("/fundraising_pages", {"title": "x", "currency": "EUR"}))


def test_O10_the_form_to_copy_is_plain_letters_and_says_that_it_asks(tenant: Tenant, client: Client) -> None:
    with in_tenant(tenant):
        row = page_of(tenant, title="Été à la rivière")
    at = f"/admin/gifts/fundraisingpage/{row.pk}/form/"
    asking = {"amounts": "10", "button": "Ça va…", "thanks": "Merci — à bientôt", "news": "on"}
    assert "&#199;a va" in client.get(f"{at}preview/", asking).content.decode()
    code = client.get(f"{at}code/", asking).content.decode()
    assert code.isascii() and '"almoner:asked": true' in code and "identifiers: [identifier]" in code
    silent = client.get(
        f"{at}code/", {name: value for name, value in asking.items() if name != "news"}
    ).content.decode()
    assert "almoner:asked" not in silent
