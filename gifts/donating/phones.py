"""The number that a program sent comes to its person (O3), and whether text messages may go there (O6)."""

from contacts.models import Contact, PhoneNumber
from contacts.models.mobile import opted_out_at
from contacts.tenancy.acting import By, acting, actor
from gifts.donating.said import SUBSCRIBED

MOBILE = "mobile"


def bring(contact: Contact, number: str, losing: list[Contact]) -> None:
    """Make this their main number. It takes the place of their mobile number, or of the one that nobody said more
    about; numbers of home and work stay beside it. Whether text messages may go there comes with a number that was
    somebody else's if they had none, and is otherwise what it was; who said no at this very number has said no."""
    before = [row for other in losing for row in take_from(other, number)]
    rows = list(contact.phone_numbers.order_by("-is_primary", "pk"))
    row = next((one for one in rows if str(one.number) == number), None)
    if row is not None:
        make_main(contact, row)
        return
    old = next((one for one in rows if one.label.casefold() == MOBILE), None)
    old = old or next((one for one in rows if one.is_primary and not one.label), None)
    takes = old.takes_texts if old else any(one.takes_texts for one in before)
    row = old or PhoneNumber(contact=contact, label=next((one.label for one in before if one.label), MOBILE))
    row.number, row.takes_texts = number, takes and not opted_out_at(number)
    row.is_primary = row.is_primary or not any(one.is_primary for one in rows)
    row.save()
    if not row.is_primary:
        make_main(contact, row)


def take_from(other: Contact, number: str) -> list[PhoneNumber]:
    """They lose it; another one of theirs becomes their main number."""
    rows = list(other.phone_numbers.filter(number=number))
    for row in rows:
        row.delete()
    left = other.phone_numbers.order_by("-is_primary", "pk").first()
    if left is not None and not left.is_primary:
        make_main(other, left)
    return rows


def make_main(contact: Contact, row: PhoneNumber) -> None:
    """The one that is shown first."""
    if row.is_primary:
        return
    for one in contact.phone_numbers.filter(is_primary=True).exclude(pk=row.pk):
        one.is_primary = False
        one.save()
    row.is_primary = True
    row.save()


def main(contact: Contact) -> PhoneNumber | None:
    """Their main number."""
    return contact.phone_numbers.order_by("-is_primary", "pk").first()


def say(contact: Contact, status: str, number: str = "") -> bool:
    """What the person said about text messages to this number, or to their main one. Returns whether there is one."""
    row = contact.phone_numbers.filter(number=number).first() if number else main(contact)
    if row is None or not status:
        return False
    wanted = status == SUBSCRIBED
    if row.takes_texts != wanted:
        with acting(By.PERSON, actor().source):
            row.takes_texts = wanted
            row.save()
    return True
