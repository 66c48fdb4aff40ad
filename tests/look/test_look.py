"""Every page of the staff's site, as people see it: on a desk and on a phone, light and dark, with the keyboard."""

from typing import Any

import pytest
from django.test import Client

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.models import Gift
from tasks_app.models import ThankYou
from tests.browser import Window
from tests.integrations.giving import ALL, DonorPerfectWorld
from tests.integrations.test_interactions import sent, thank_you
from tests.look import judge
from tests.look.pages import furnish, logged_in_owner, staff_pages

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
DESK, PHONE = 1440, 390
STRANGERS = [
    "/admin/login/",
    "/admin/forgotten/",
    "/admin/forgotten/sent/",
    "/admin/forgotten/done/",
    "/join/x/",
    "/api/video/v1/try",
    "/api/osdi/try",
    "/nowhere/",
]


# Some are found by their address, others by links of the first.
FOUND = {
    "/admin/", "/admin/people/", "/admin/people/invite/", "/admin/organization/", "/admin/contacts/contact/add/",
}  # fmt: skip


@pytest.fixture
def window(look_at: Any) -> Window:
    """A browser on a desk, in the light."""
    return look_at(DESK, False)


def judged(window: Window, path: str) -> list[str]:
    """What is wrong with one page: on a desk, on a phone, and then in the dark, where only colours are judged anew."""
    window.errors.clear()
    page, wrong = window.page, []
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": 900 if width == DESK else 844})
        if width == DESK:
            page.goto(path)
            judge.settle(page)
        judge.follow(page)
        rules = None if width == DESK else judge.OF_WIDTH
        found = judge.shape(page, width) + judge.accessibility(page, rules) + judge.keyboard(page)
        wrong += [f"{path} at {width}: {what}" for what in found]
    page.emulate_media(color_scheme="dark")
    page.reload()
    judge.settle(page)
    is_dark = page.evaluate("document.documentElement.classList.contains('dark')")
    wrong += [f"{path} in the dark: {what}" for what in judge.accessibility(page, ["color-contrast"])]
    page.emulate_media(color_scheme="light")
    return wrong + [f"{path}: {what}" for what in window.errors] + ([] if is_dark else [f"{path} stays light"])


def test_every_page_is_readable_usable_by_keyboard_and_free_of_errors(window: Window, tenant: Tenant) -> None:
    rows = furnish(tenant)
    client = logged_in_owner(tenant)
    pages = staff_pages(client, tenant, rows)
    assert len(pages) >= 80 and {*pages} >= FOUND, f"the pages are not found any more: {pages}"
    assert Client().get("/admin/people/").status_code == 302
    window.take_session(client)
    wrong = [what for path in pages for what in judged(window, path)]
    assert wrong == [], f"{len(wrong)} findings\n" + "\n".join(wrong)


def test_so_is_what_gifts_from_a_service_bring(look_at: Any, tenant: Tenant, donor_perfect: Any) -> None:
    """Its own pages with something on each, and a donor who must not be contacted; all is made of pieces that the
    test above has seen in the dark."""
    window = look_at(DESK, False)
    world = DonorPerfectWorld(tenant, donor_perfect, on=ALL)
    world.gift(world.donor(email="ana@donors.test"), 1_234_567.89)
    world.gift(world.donor(last_name="Quiet", email="no@donors.test", nomail="Y"), 7)
    run = world.look()
    unknown = thank_you(world)
    sent(world, unknown)
    with in_tenant(tenant):
        silent = Gift.objects.get().contact
        silent.do_not_contact = True
        silent.save()
        asked = ThankYou.objects.get(contact=silent)
    window.take_session(logged_in_owner(tenant))
    here = "/admin/integrations/setup/donor_perfect/"
    pages = [f"{here}{part}/" for part in ("switches", "switches/codes", "gifts", f"gifts/{run.uid}", "not-saved")]
    pages += [f"/admin/contacts/contact/{one.pk}/change/" for one in (silent, unknown.contact)]
    pages += [f"/admin/tasks_app/thankyou/{asked.pk}/change/"]
    assert [what for path in pages for what in judged(window, path)] == []


def test_so_is_every_page_for_people_who_are_not_logged_in(window: Window, tenant: Tenant) -> None:
    wrong = [what for path in STRANGERS for what in judged(window, path)]
    assert [what for what in wrong if "status of 404" not in what] == []


def test_control_the_judge_sees_what_is_wrong(look_at: Any) -> None:
    window = look_at(390, False)
    window.page.goto("/admin/login/")
    window.page.evaluate(
        """() => { document.body.innerHTML = '<h1>One</h1><h1>Two</h1><main><div style="width: 900px">wide</div>'
             + '<img src="/static/almoner/icon.svg"><p style="color: #ccc; background: #fff">pale</p>'
             + '<button class="al-button" tabindex="-1">Save</button></main>'; console.error('broken'); }"""
    )
    said = "\n".join([*judge.shape(window.page, 390), *judge.accessibility(window.page), *judge.keyboard(window.page)])
    for words in (
        "2 first headings",
        "sideways at 390",
        "image-alt (critical",
        "color-contrast (serious",
        "does not reach “Save”",
    ):
        assert words in said, said
    assert window.errors == ["console: broken"]
