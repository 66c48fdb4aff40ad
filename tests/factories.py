"""Rows for tests, each in the tenant that is given, that its parts belong to, or that is active."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from contacts.models import Contact, ContactList, EmailAddress, ListMembership, PhoneNumber
from contacts.tenancy.models import Role, StaffMember, Tenant, User
from contacts.tenancy.walls import current_tenant, in_tenant
from integrations.models import Connection, Credential

PASSWORD = "a long enough password"


class TenantFactory(DjangoModelFactory):
    """An organization."""

    class Meta:
        model = Tenant

    name = factory.Sequence("Organization {}".format)


class UserFactory(DjangoModelFactory):
    """Somebody who logs in, with `PASSWORD`."""

    class Meta:
        model = User

    email = factory.Sequence("person{}@rivermail.test".format)
    first_name = factory.Faker("first_name")
    last_name = factory.Faker("last_name")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **values: Any) -> User:
        return model_class.objects.create_user(**{"password": PASSWORD} | values)


class OwnedFactory(DjangoModelFactory):
    """A row of one tenant."""

    class Meta:
        abstract = True

    tenant = factory.LazyFunction(lambda: current_tenant() or TenantFactory())

    @classmethod
    def _create(cls, model_class: type[Any], *args: Any, **values: Any) -> Any:
        with in_tenant(values["tenant"]):
            return cls.make(model_class, **values)

    @classmethod
    def make(cls, model_class: type[Any], **values: Any) -> Any:
        """Create the row; the tenant is active."""
        return model_class.objects.create(**values)


class StaffMemberFactory(OwnedFactory):
    """A user's place in a tenant."""

    class Meta:
        model = StaffMember

    user = factory.SubFactory(UserFactory)
    role = Role.STAFF


class ContactFactory(OwnedFactory):
    """A person with one primary address; `email=""` leaves it out, `email_state` and `phone` say more."""

    class Meta:
        model = Contact

    first_name = factory.Faker("first_name")
    last_name = factory.Faker("last_name")
    email = factory.Sequence("contact{}@rivermail.test".format)
    email_state = EmailAddress.State.OK
    phone = ""

    @classmethod
    def make(cls, model_class: type[Contact], **values: Any) -> Contact:
        email, state, phone = values.pop("email"), values.pop("email_state"), values.pop("phone")
        contact = model_class.objects.create(**values)
        if email:
            EmailAddress.objects.create(contact=contact, address=email, is_primary=True, state=state)
        if phone:
            PhoneNumber.objects.create(contact=contact, number=phone, is_primary=True)
        return contact


class EmailAddressFactory(OwnedFactory):
    """One more address of a contact."""

    class Meta:
        model = EmailAddress

    tenant = factory.LazyAttribute(lambda row: row.contact.tenant)
    contact = factory.SubFactory(ContactFactory, email="")
    address = factory.Sequence("other{}@rivermail.test".format)


class ContactListFactory(OwnedFactory):
    """A list that is synchronized."""

    class Meta:
        model = ContactList

    name = factory.Sequence("List {}".format)
    synchronize = True


class ListMembershipFactory(OwnedFactory):
    """A contact on a list of the same tenant."""

    class Meta:
        model = ListMembership

    tenant = factory.LazyAttribute(lambda row: row.contact_list.tenant)
    contact_list = factory.SubFactory(ContactListFactory)
    contact = factory.SubFactory(ContactFactory, tenant=factory.SelfAttribute("..contact_list.tenant"))


class ConnectionFactory(OwnedFactory):
    """A connection that works; `secret={…}` gives it a credential."""

    class Meta:
        model = Connection

    provider = "mailchimp"
    state = Connection.State.ACTIVE
    account_label = "River Trust at Mailchimp"
    secret = None

    @classmethod
    def make(cls, model_class: type[Connection], **values: Any) -> Connection:
        secret = values.pop("secret")
        connection = model_class.objects.create(**values)
        if secret is not None:
            Credential.objects.create(connection=connection, secret=secret)
        return connection
