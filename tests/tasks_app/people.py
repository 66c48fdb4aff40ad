"""Staff and settings for tests of thank-yous."""

from typing import Any

from contacts.models import StaffMember
from tasks_app.models import Reason, ThanksSettings, ThankYou
from tests.factories import StaffMemberFactory, UserFactory


def staff(name: str, **values: Any) -> StaffMember:
    """Somebody who works here; “Marcus Reed” says first and last name."""
    first, _, last = name.partition(" ")
    found: StaffMember = StaffMemberFactory(user=UserFactory(first_name=first, last_name=last), **values)
    return found


def wants(**values: Any) -> ThanksSettings:
    """What the organization has chosen."""
    found = ThanksSettings.now()
    for name, value in values.items():
        setattr(found, name, value)
    found.save()
    return found


def only() -> ThankYou:
    """The one thank-you that there is."""
    found: ThankYou = ThankYou.objects.get()
    return found


def reasons(thank_you: Any) -> list[str]:
    """The sentences that stand."""
    return list(Reason.objects.standing().filter(thank_you=thank_you).values_list("sentence", flat=True))
