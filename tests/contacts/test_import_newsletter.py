"""L35, end to end: who opted out themselves gets no newsletter, whatever list an import puts them on or takes back."""

from typing import Any

import pytest

from contacts.models import Contact
from integrations.sync.serve import serve
from tests.contacts.import_desk import checked, imported, row, taken_back
from tests.integrations.engine import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


@pytest.fixture
def world(in_tenant: Any, sandbox: Any) -> World:
    return World(in_tenant, sandbox)


def test_L35_an_import_reaches_nobody_who_opted_out(world: World) -> None:
    news, gala = world.a_list("Newsletter"), world.a_list("Gala")
    ana = world.person("ana@rivermail.test", news)
    world.person("ben@rivermail.test", news, first_name="Ben")
    world.sync()
    assert world.standing("ana@rivermail.test") == ("subscribed", ["Newsletter"])
    world.act("person", "unsubscribe", email="ana@rivermail.test")
    serve(world.connection.pk, listen=True)
    world.push()
    content = (
        "First,Last,Email,Lists,Subscribed\n"
        "Ana,Ruiz,ana@rivermail.test,Newsletter; Gala,yes\nBen,Ruiz,ben@rivermail.test,Gala,yes\n"
    )
    seen = checked(content)
    assert any("have opted out themselves" in one for one in row(seen, 2).warnings)
    assert seen.counts["opted_out"] == 1
    done = imported(content)
    world.push()
    assert ana.memberships.filter(contact_list=gala).exists()  # on the list here, and yet
    assert world.standing("ana@rivermail.test")[0] == "unsubscribed"
    assert world.standing("ben@rivermail.test") == ("subscribed", ["Gala", "Newsletter"])
    taken_back(done)
    world.push()
    assert world.standing("ana@rivermail.test")[0] == "unsubscribed"
    assert world.standing("ben@rivermail.test") == ("subscribed", ["Newsletter"])


def test_L35_deleted_and_imported_again_they_are_still_out(world: World) -> None:
    news = world.a_list("Newsletter")
    ana = world.person("ana@rivermail.test", news)
    world.sync()
    world.act("person", "unsubscribe", email="ana@rivermail.test")
    serve(world.connection.pk, listen=True)
    world.push()
    ana.delete()
    world.push()
    done = imported("First,Last,Email\nAna,Ruiz,ana@rivermail.test\n", list=str(news.uid))
    assert any("opted out" in one for one in row(done, 2).warnings)
    world.push()
    assert Contact.objects.get().memberships.exists()
    assert world.standing("ana@rivermail.test")[0] in ("unsubscribed", "archived")


def test_control_an_import_does_reach_those_who_may_be_written_to(world: World) -> None:
    news = world.a_list("Newsletter")
    world.sync()
    imported("First,Email\nAna,ana@rivermail.test\n", list=str(news.uid))
    world.push()
    assert world.standing("ana@rivermail.test") == ("subscribed", ["Newsletter"])
