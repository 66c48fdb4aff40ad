"""The number that a program sent comes to its person (O3), and whether text messages may go there (O6)."""

from collections.abc import Iterable

from contacts import program_word
from contacts.duplicates.identities import uids_of
from contacts.models import Contact, MobileEvent, PhoneNumber
from contacts.models.mobile import opted_out_at
from contacts.tenancy.acting import By, acting, actor
from gifts.donating.said import SUBSCRIBED

MOBILE = "mobile"


def bring(contact: Contact, number: str, losing: list[Contact], is_new: bool = False) -> None:
    """Make this their main number. It takes the place of their mobile number, or of the one that nobody said more
    about; numbers of home and work stay beside it. Whether text messages may go there comes with a number that was
    somebody else's if they had none, and is otherwise what it was; who said no at this very number has said no, and
    from somebody under Do Not Contact no yes is taken over."""
    before = [row for other in losing for row in take_from(other, number)]
    is_welcome = not any(other.do_not_contact for other in losing)
    rows = [] if is_new else list(contact.phone_numbers.order_by("-is_primary", "pk"))
    row = next((one for one in rows if str(one.number) == number), None)
    if row is not None:
        make_main(contact, row)
        return
    old = next((one for one in rows if one.label.casefold() == MOBILE), None)
    old = old or next((one for one in rows if one.is_primary and not one.label), None)
    takes = old.takes_texts if old else is_welcome and any(one.takes_texts for one in before)
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


def is_stopped_by_staff(number: str, holders: Iterable[Contact]) -> bool:
    """Whether the last word about text messages there was no and not the person's own, or staff have set Do Not Contact
    for one of these."""
    last = MobileEvent.objects.filter(number=number).order_by("-at", "-pk").first()
    if last is not None and last.kind == MobileEvent.Kind.OPT_OUT and last.by != By.PERSON:
        return True
    marked = Contact.objects.filter(pk__in=[one.pk for one in holders], do_not_contact=True)
    return any(program_word.is_set_by_staff(one, None) for one in marked)


def has_said_no(number: str, holder: Contact | None) -> bool:
    """Whether the last word about text messages, at this number or of this person, was that they want none."""
    if opted_out_at(number):
        return True
    words = MobileEvent.objects.filter(contact_uid__in=uids_of(holder)) if holder else MobileEvent.objects.none()
    last = words.order_by("-at", "-pk").first()
    return last is not None and last.kind == MobileEvent.Kind.OPT_OUT


def main(contact: Contact) -> PhoneNumber | None:
    """Their main number."""
    return contact.phone_numbers.order_by("-is_primary", "pk").first()


def say(contact: Contact, status: str, number: str = "", before: Iterable[Contact] = ()) -> bool:
    """What the person said about text messages to this number, or to their main one. What staff have set, for them or
    for those who had this number `before`, stays: staff lift it. Returns whether there is such a number."""
    if not status:
        return False
    row = contact.phone_numbers.filter(number=number).first() if number else main(contact)
    if row is None:
        return False
    wanted = status == SUBSCRIBED
    if wanted and is_stopped_by_staff(str(row.number), [contact, *before]):
        return True
    if row.takes_texts != wanted:
        with acting(By.PERSON, actor().source):
            row.takes_texts = wanted
            row.save()
    return True
