"""Tenants, the people who log in, and the base class of everything that belongs to one tenant."""

import zoneinfo
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.text import slugify
from django_scopes import ScopedManager

from contacts.tenancy.walls import TenantQuerySet, place_in_tenant

MONTHS = [
    (1, "January"), (2, "February"), (3, "March"), (4, "April"), (5, "May"), (6, "June"),
    (7, "July"), (8, "August"), (9, "September"), (10, "October"), (11, "November"), (12, "December"),
]  # fmt: skip


def validate_time_zone(name: str) -> None:
    """Refuse a time zone that this machine's tz database does not know."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is not a time zone. Use a name such as America/New_York.")


def free_slug(name: str, tenants: Any) -> str:
    """A word of small letters, digits and hyphens for addresses that none of these tenants has, made from a name."""
    word = slugify(name).replace("_", "-").strip("-")[:50] or "organization"
    return next(
        one for one in (f"{word}-{n}" if n else word for n in (0, *range(2, 100_000)))
        if not tenants.filter(slug=one).exists()
    )  # fmt: skip


class Tenant(models.Model):
    """Our customer: one nonprofit. Every other row but users belongs to exactly one."""

    name = models.CharField(max_length=200, unique=True)
    slug = models.CharField(
        max_length=60, unique=True, editable=False, help_text="Its name in addresses of APIs. It never changes."
    )
    time_zone = models.CharField(max_length=64, default="America/New_York", validators=[validate_time_zone])
    currency = models.CharField(
        max_length=3, default="USD", validators=[RegexValidator(r"^[A-Z]{3}$", "Use three letters, such as USD.")]
    )
    fiscal_year_start = models.PositiveSmallIntegerField(
        "fiscal year starts in", choices=MONTHS, default=1, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    phone_region = models.CharField(
        "default phone region", max_length=2, default="US",
        validators=[RegexValidator(r"^[A-Z]{2}$", "Use a two-letter country code, such as US.")],
        help_text="Phone numbers typed without a country code are read as numbers of this country.",
    )  # fmt: skip
    street = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField("state or region", max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(
        max_length=2, default="US", validators=[RegexValidator(r"^[A-Z]{2}$", "Use a two-letter code, such as US.")]
    )
    from_name = models.CharField("mail comes from (name)", max_length=100, blank=True)
    from_email = models.EmailField("mail comes from (address)", blank=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children", verbose_name="part of",
        help_text="The organization above it in its network: subscriptions to email travel there.",
    )  # fmt: skip
    mobile_goes_up = models.BooleanField(
        "mobile status goes up the network", default=False,
        help_text="Whether subscriptions to text messages travel to the organization above, too.",
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "organization"

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.slug:
            self.slug = free_slug(self.name, type(self)._base_manager)
        super().save(*args, **kwargs)

    @property
    def tz(self) -> zoneinfo.ZoneInfo:
        """The tenant's time zone, for showing times."""
        return zoneinfo.ZoneInfo(self.time_zone)


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail address."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """A person who logs in; the address is kept in lower case."""
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """A person who runs the installation."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Log-in ignores the case of the address."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractUser):
    """Somebody who logs in, by e-mail address. What they may do is said per tenant by `StaffMember`."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()  # type: ignore[misc,assignment]

    class Meta:
        ordering = ["email"]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)


class TenantOwned(models.Model):
    """A row of one tenant. Without an active tenant every query raises; a row cannot be saved into another tenant."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", editable=False)

    objects: ClassVar[Any] = ScopedManager(_manager_class=models.Manager.from_queryset(TenantQuerySet), tenant="tenant")

    class Meta:
        abstract = True
        # Forward relations, saving and deleting use the base manager: it is walled in as well.
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        place_in_tenant(self)
        super().save(*args, **kwargs)

    def validate_unique(self, exclude: Any = None) -> None:
        """Uniqueness is judged inside the tenant, so the tenant is filled in first."""
        place_in_tenant(self)
        super().validate_unique(exclude={*(exclude or ())} - {"tenant"})

    def validate_constraints(self, exclude: Any = None) -> None:
        place_in_tenant(self)
        super().validate_constraints(exclude={*(exclude or ())} - {"tenant"})


class Role(models.TextChoices):
    """What a person may do for one tenant; the README has the table."""

    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    STAFF = "staff", "Staff"
    VIEWER = "viewer", "Viewer"


class StaffMember(TenantOwned):
    """A user's place in one tenant."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.STAFF)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        ordering = ["user__email"]
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="one_role_per_tenant")]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    @classmethod
    def of_user(cls, user: User) -> "models.QuerySet[Self]":
        """A user's places in every tenant: the one question that is asked before a tenant is chosen."""
        return cls.objects.with_scopes_disabled().filter(user=user, user__is_active=True).select_related("tenant")


class Invitation(TenantOwned):
    """A place offered to somebody by e-mail. The link's secret is kept as a hash only, and works once."""

    email = models.EmailField("e-mail address")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.STAFF)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    mail_error = models.CharField(max_length=300, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["tenant", "-created_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="one_open_invitation",
                violation_error_message="That address is invited already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.get_role_display().lower()}"

    @property
    def is_expired(self) -> bool:
        """Whether the link is too old; sending the invitation anew makes a fresh one."""
        return self.expires_at <= timezone.now()


class Tally(models.Model):
    """How often something was asked for in one stretch of time, so that nobody can ask for it without end.

    It belongs to the installation: a forgotten password is asked for before anybody knows whose it is. Addresses are
    kept as a keyed hash only.
    """

    what = models.CharField(max_length=30)
    key = models.CharField(max_length=64)
    since = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [models.UniqueConstraint(fields=["what", "key", "since"], name="one_tally")]

    def __str__(self) -> str:
        return f"{self.what}: {self.count}"
