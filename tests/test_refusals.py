"""What is refused before any page is made: forms of an earlier log-in, and addresses that nobody meant."""

import pytest
from django.test import Client

from contacts.tenancy.models import Role, Tenant
from tests.factories import UserFactory
from tests.tenancy.people import logged_in, place

pytestmark = pytest.mark.django_db


def test_a_form_from_before_the_last_log_in_is_refused_in_plain_words(tenant: Tenant) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(place(UserFactory(), tenant, Role.OWNER).user)
    answer = strict.post("/admin/contacts/tag/add/", {"name": "volunteer"})
    assert answer.status_code == 403
    assert "nothing was saved. Load it anew" in answer.content.decode()
    assert "CSRF" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/admin/contacts/contact/?email=%00", "/admin/integrations/set-aside/?reason=a%00b"])
def test_a_nul_in_an_address_is_a_bad_request(path: str, tenant: Tenant) -> None:
    assert logged_in(tenant).get(path).status_code == 400
