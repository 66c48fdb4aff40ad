"""The whole circle in a browser: a gift at DonorPerfect, a thank-you here, a video, its watching and the reply, and all
of it back on the donor at DonorPerfect; whoever wants no mail gets none."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from contacts.models import Contact
from contacts.tenancy import keys
from contacts.tenancy.walls import in_tenant
from gifts.models import Gift, Giving
from integrations import hooking
from integrations.models import Connection, OutgoingHook, RemoteRecord
from tasks_app.models import Note, ThankYou, VideoEvent
from tests.factories import PASSWORD, ContactFactory, StaffMemberFactory, UserFactory
from tests.fakes import VideoAppSandbox, running
from tests.journeys.conftest import PATIENCE, at_work, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
SLOW = PATIENCE * 1000
KEY, SECRET = keys.PREFIX + "j" * 43, "whsec_of_the_journey"


@pytest.fixture
def video_app(live_server: Any, tenant: Any, settings: Any) -> Iterator[VideoAppSandbox]:
    """The sandbox video app with a key of the organization, to which news is told."""
    settings.PUBLIC_URL = live_server.url
    settings.OUTGOING_PRIVATE_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    made = VideoAppSandbox(almoner_url=live_server.url, keys={"river": KEY}, hook_secrets={"river": SECRET})
    with running(made) as sandbox, in_tenant(tenant):
        keys.issue("Video app", {"video"}, None, secret=KEY)
        hooking.register(f"{sandbox.url}/webhooks/river", OutgoingHook.Kind.values, None, secret=SECRET)
        yield sandbox


@pytest.fixture
def worker(video_app: Any, donor_perfect: Any, database_url: str, tmp_path: Path) -> Iterator[Path]:
    """A worker that finds the sandbox DonorPerfect."""
    vendor = {"DONOR_PERFECT_URL": donor_perfect.url, "DONOR_PERFECT_PAUSE_SECONDS": "0"}
    with at_work(database_url, tmp_path / "worker.log", vendor) as log:
        yield log


def give(there: Page, url: str) -> None:
    """What staff do at DonorPerfect itself: a donor is entered, and a gift of theirs."""
    there.goto(f"{url}/account?account=river")
    there.get_by_label("First name").fill("Cleo")
    there.get_by_label("Last name or organization").fill("Hart")
    there.get_by_label("E-mail").fill("cleo@rivermail.test")
    there.get_by_role("button", name="Add", exact=True).click()
    there.get_by_role("link", name="Cleo Hart").click()
    form = there.locator("form").filter(has=there.get_by_role("button", name="Add gift", exact=True))
    form.get_by_label("Amount").fill("120")
    form.get_by_label("Comment").fill("For the new boat")
    form.get_by_role("button", name="Add gift", exact=True).click()
    expect(there.get_by_text("Done: add gift.")).to_be_visible()


def given(sandbox: Any, amount: int, **donor: str) -> None:
    """The same without the pages."""
    number = sandbox.act({"as": "holder", "account": "river", "action": "add_donor", **donor})["donor_id"]
    sandbox.act({"as": "holder", "account": "river", "action": "add_gift", "donor": number, "amount": amount})


def test_D1_D4_D5_D6_D7_D8_D10_D12_T1_T5_T8_the_whole_circle_from_a_gift_to_the_reply_on_the_donor(
    page: Page, log_in: Any, look_at: Any, donor_perfect: Any, video_app: Any, worker: Path, tenant: Any, neighbour: Any
) -> None:
    owner = UserFactory(first_name="Ana", last_name="Ruiz")
    StaffMemberFactory(tenant=tenant, user=owner, role="owner")
    with in_tenant(tenant):
        silent = ContactFactory(first_name="Dana", last_name="Silent", email="dana@rivermail.test", do_not_contact=True)
    with in_tenant(neighbour):
        ContactFactory(first_name="Next", last_name="Door", email="cleo@rivermail.test")
    log_in(owner.email, PASSWORD)
    there = look_at(1440, False).page

    # Connect, with the key that the sandbox shows instead of mailing it.
    there.goto(donor_perfect.url)
    key = (
        there.locator("section", has=there.get_by_role("heading", name="River Trust")).locator("code").last.inner_text()
    )
    page.get_by_role("link", name="Integrations", exact=True).click()
    card = page.locator("section").filter(has=page.get_by_role("heading", name="DonorPerfect"))
    card.get_by_role("link", name="Connect").click()
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Try and store").click()
    page.get_by_role("link", name="Choose").first.click()
    for label, code in (("task sent", "Thank-you video sent"), ("replies", "Reply to"), ("watches", "video watched")):
        field = page.get_by_label(f"Save {label}")
        field.select_option(value=field.locator("option", has_text=code).get_attribute("value"))
    page.get_by_role("button", name="Save", exact=True).click()
    for label in ("New gift added", "Save task sent", "Save replies", "Save watches"):
        page.locator("section").filter(has_text=label).get_by_role("button", name="Turn on").first.click()
        expect(page.get_by_text(f"“{label}” is on.")).to_be_visible()

    # Three gifts: one of somebody unknown here, one with Do not send mail there, one of a Do Not Contact here.
    give(there, donor_perfect.url)
    given(donor_perfect, 75, first_name="Quentin", last_name="Quiet", email="quentin@rivermail.test", nomail="Y")
    given(donor_perfect, 60, first_name="Dana", last_name="Silent", email="dana@rivermail.test")
    page.get_by_role("button", name="Look now").click()
    expect(page.get_by_text("2 new gifts, 2 to be thanked for; 1 skipped.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("row", name="Cleo Hart")).to_contain_text("$120.00")
    expect(page.get_by_text("“Do Not Send Mail” is set for this donor in DonorPerfect.")).to_be_visible()

    # The queue says who is to be thanked, and who is not to be written to.
    page.get_by_role("link", name="Thank-yous").first.click()
    expect(page.get_by_role("row", name="Cleo Hart")).to_contain_text("Cleo made a $120.00 donation.")
    expect(page.get_by_role("row", name="Dana Silent")).to_contain_text("Do Not Contact")
    expect(page.get_by_text("Quentin")).to_have_count(0)

    # The video app: a video is sent, watched twice, and answered.
    there.goto(video_app.url)
    there.get_by_role("link", name="Tasks and webhooks").first.click()
    expect(there.get_by_text("Send Cleo Hart a thank you video. Cleo made a $120.00 donation.")).to_be_visible()
    there.get_by_role("link", name="All", exact=True).click()
    expect(there.get_by_role("button", name="Send video")).to_have_count(1)
    for nobody in ("Dana", "Quentin"):
        expect(there.get_by_text(nobody)).to_have_count(0)
    there.get_by_role("button", name="Send video").click()
    there.get_by_role("link", name="Sent", exact=True).click()
    there.get_by_role("button", name="Watch it as the donor").click()
    there.get_by_role("link", name="Done", exact=True).click()
    there.get_by_role("button", name="Watch it as the donor").click()
    there.get_by_text("Reply as the donor").click()
    there.get_by_label("The donor's words").fill("You made my week.")
    there.get_by_role("button", name="Reply", exact=True).click()
    there.reload()

    # Back at DonorPerfect: three interactions on her, none twice and none of anybody else.
    account = donor_perfect.account("river")
    assert wait_for(lambda: len(account.rows("SELECT * FROM dpcontact")) >= 3), worker.read_text()[-4000:]
    there.goto(f"{donor_perfect.url}/account?account=river")
    there.get_by_role("link", name="Cleo Hart").last.click()
    arrived = there.locator("section").filter(has_text="Interactions that arrived").get_by_role("row")
    expect(arrived).to_have_count(4)
    for words in (f"Thank-you video sent: {video_app.url}/videos/", "watched (90 percent)", "You made my week."):
        expect(arrived.filter(has_text=words)).to_have_count(1)

    # Here it is done, and a second look brings nothing again.
    page.goto("/admin/integrations/setup/donor_perfect/switches/")
    page.get_by_role("button", name="Look now").click()
    expect(page.get_by_text("Nothing new.")).to_be_visible(timeout=SLOW)
    with in_tenant(tenant):
        cleo = Contact.objects.get(last_name="Hart")
        assert not Contact.objects.filter(last_name="Quiet").exists()
        assert Gift.objects.count() == 2
        assert [(g.number, g.total) for g in Giving.objects.order_by("contact_id")] == [(1, 60), (1, 120)]
        assert dict(ThankYou.objects.values_list("contact_id", "state")) == {cleo.pk: "done", silent.pk: "open"}
        assert [e.kind for e in VideoEvent.objects.order_by("pk")] == ["sent", "watched", "watched", "replied"]
        assert RemoteRecord.objects.filter(kind="interaction").count() == 3, "who watches again is saved once"
        assert not Note.objects.exists()
    page.goto(f"/admin/contacts/contact/{cleo.pk}/change/")
    expect(page.get_by_text("You made my week.").first).to_be_visible()
    expect(page.get_by_text("3 about thank-you videos")).to_be_visible()
    assert len(account.rows("SELECT * FROM dpcontact")) == 3
    assert wait_for(lambda: {each["type"] for each in video_app.account("river").messages if each["is_genuine"]})

    with in_tenant(neighbour):
        assert Contact.objects.get().first_name == "Next"
        assert not (Connection.objects.exists() or Gift.objects.exists() or ThankYou.objects.exists())
