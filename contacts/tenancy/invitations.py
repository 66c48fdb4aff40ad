"""Invitations: a place offered by e-mail, with a link that works once, for one address, for some days.

Only a hash of the link's secret is kept. Whoever opens the link has shown that the mailbox is theirs; that is why the
link goes by mail, and is shown to the owner only where no mail went out.
"""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from email.utils import formataddr, parseaddr
from smtplib import SMTPAuthenticationError, SMTPRecipientsRefused

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from contacts.models.history import HistoryEntry
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Invitation, StaffMember, User
from contacts.tenancy.people import PLACE, deciding, named, note
from contacts.tenancy.roles import ROLE_WORDS
from contacts.tenancy.throttle import is_too_often
from contacts.tenancy.walls import in_tenant

log = logging.getLogger(__name__)
PRINTED_ONLY = ("django.core.mail.backends.console.EmailBackend", "django.core.mail.backends.dummy.EmailBackend")
NO_MAIL = "This installation is not set up to send mail."


class LinkIsDead(Exception):
    """Used, withdrawn, replaced or too old; which of them is nobody's business."""


@dataclass(frozen=True)
class Sent:
    """An invitation that was just made or renewed, with the only copy of its link."""

    invitation: Invitation
    link: str


def late_invitations() -> "QuerySet[Invitation]":
    """Those of the active organization that ran out before they were accepted."""
    return Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__lte=timezone.now())


def invite(by: StaffMember, email: str, role: str) -> Sent:
    """Offer a place to this address."""
    email = email.strip().lower()
    with deciding(by):
        if here := StaffMember.objects.select_related("user").filter(user__email=email).first():
            raise ValidationError(f"{here.user} works here already, as {here.get_role_display().lower()}.")
        if Invitation.objects.filter(email=email, accepted_at=None, withdrawn_at=None).exists():
            raise ValidationError(f"{email} is invited already. Send that invitation again, or withdraw it first.")
        invitation = Invitation(email=email, role=role)
        secret = renew(invitation, by)
        note(HistoryEntry.Verb.ADDED, "invitation", email, {"role": [None, role]})
    return deliver(invitation, secret)


def send_again(by: StaffMember, pk: int) -> Sent:
    """A new link to the same address; the old one is dead."""
    with deciding(by):
        invitation = still_open(pk)
        before = str(invitation.expires_at)
        secret = renew(invitation, by)
        note(
            HistoryEntry.Verb.CHANGED, "invitation", invitation.email,
            {"expires_at": [before, str(invitation.expires_at)]},
        )  # fmt: skip
    return deliver(invitation, secret)


def withdraw(by: StaffMember, pk: int) -> Invitation:
    """The link is dead from now on."""
    with deciding(by):
        invitation = still_open(pk)
        invitation.withdrawn_at = timezone.now()
        invitation.save(update_fields=["withdrawn_at"])
        note(
            HistoryEntry.Verb.CHANGED, "invitation", invitation.email,
            {"withdrawn_at": [None, str(invitation.withdrawn_at)]},
        )  # fmt: skip
    return invitation


def still_open(pk: int) -> Invitation:
    """The invitation, unless somebody has accepted or withdrawn it meanwhile."""
    invitation = Invitation.objects.get(pk=pk)
    if invitation.accepted_at or invitation.withdrawn_at:
        done = "accepted" if invitation.accepted_at else "withdrawn"
        raise ValidationError(f"The invitation of {invitation.email} has been {done} meanwhile.")
    return invitation


def renew(invitation: Invitation, by: StaffMember) -> str:
    """Save it with a fresh secret and a fresh date, unless the organization has sent too many today."""
    if is_too_often("invitations", str(by.tenant_id), settings.INVITATIONS_PER_DAY, timedelta(days=1)):
        raise ValidationError(
            f"{by.tenant} has sent {settings.INVITATIONS_PER_DAY} invitations today, which is as many as one day "
            "allows. Nothing was sent; please go on tomorrow."
        )
    secret = secrets.token_urlsafe(32)
    invitation.secret_hash = hashed(secret)
    invitation.invited_by = by.user
    invitation.expires_at = timezone.now() + timedelta(days=settings.INVITATION_DAYS)
    invitation.save()
    return secret


def hashed(secret: str) -> str:
    """What the database keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def deliver(invitation: Invitation, secret: str) -> Sent:
    """Send the mail; what went wrong is kept as a sentence, for the page."""
    link = settings.PUBLIC_URL + reverse("join", args=[secret])
    try:
        message(invitation, link).send()
        problem = NO_MAIL if settings.EMAIL_BACKEND in PRINTED_ONLY else ""
    except SMTPRecipientsRefused:
        problem = "The mail server refused the address."
    except SMTPAuthenticationError:
        problem = "The mail server did not accept Almoner’s password."
    except (OSError, ValueError, ImproperlyConfigured) as error:  # OSError: the network, and whatever SMTP answers
        log.warning("An invitation could not be sent: %s", type(error).__name__)
        problem = "The mail server could not be reached, or did not take the message."
    invitation.mail_error = problem
    invitation.save(update_fields=["mail_error"])
    return Sent(invitation, link)


def message(invitation: Invitation, link: str) -> EmailMessage:
    """The mail, in the organization's name; answers go to the person who invited."""
    inviter, tenant = invitation.invited_by, invitation.tenant
    context = {
        "invitation": invitation, "inviter": inviter, "tenant": tenant, "link": link,
        "may": ROLE_WORDS[invitation.role],
    }  # fmt: skip
    with timezone.override(tenant.tz):
        body = render_to_string("organization/invitation_email.txt", context)
    name = " ".join(tenant.name.split())
    return EmailMessage(
        subject=f"{name} invites you to Almoner",
        body=body,
        from_email=formataddr((name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1])),
        to=[invitation.email],
        reply_to=[inviter.email] if inviter else None,
    )


def find(secret: str) -> Invitation | None:
    """The open invitation of this link. Asked by people who are in no organization yet, hence across all of them."""
    return (
        Invitation.objects.with_scopes_disabled()
        .filter(secret_hash=hashed(secret), accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())
        .select_related("tenant", "invited_by")
        .first()
    )


def accept(invitation: Invitation, user: User) -> StaffMember:
    """Give the place to the person whose address was invited, once."""
    if user.email != invitation.email or not user.is_active:
        raise PermissionDenied(f"This invitation is for {invitation.email}.")
    with in_tenant(invitation.tenant), acting(By.STAFF, "Invitation", user), transaction.atomic():
        unused = Invitation.objects.filter(
            pk=invitation.pk, secret_hash=invitation.secret_hash, accepted_at=None, withdrawn_at=None,
            expires_at__gt=timezone.now(),
        )  # fmt: skip
        if not unused.update(accepted_at=timezone.now()):  # one statement: of two clicks, one takes it
            raise LinkIsDead
        member, is_new = StaffMember.objects.get_or_create(user=user, defaults={"role": invitation.role})
        if is_new:
            note(HistoryEntry.Verb.ADDED, PLACE, named(user), {"role": [None, member.role]})
    return member
