"""Keys with which programs of others speak to our APIs: made once, shown once, kept as a hash (T4)."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from contacts.models.history import HistoryEntry
from contacts.tenancy.models import TenantOwned, User
from contacts.tenancy.walls import in_tenant

PREFIX = "almoner_"  # so that whoever finds one in a log or a repository knows whose it is
USED_EVERY = timedelta(minutes=1)  # how exactly “last used” is kept: not a write for each call
KEEP_ANSWERS = timedelta(days=30)

# What a key may be used for. An app above adds its own word with `offer`.
_scopes: dict[str, str] = {}


def offer(scope: str, words: str) -> None:
    """Let keys be made for this API; `words` say to people what such a key may do."""
    _scopes[scope] = words


def scopes() -> dict[str, str]:
    """{scope: what it allows} for the page."""
    return dict(_scopes)


class ApiToken(TenantOwned):
    """One key. `scope_words` are the APIs it opens, separated by spaces; `hint` is the end of it, to tell it apart."""

    name = models.CharField(max_length=100)
    scope_words = models.CharField(max_length=200)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=8, editable=False)
    joins = models.ForeignKey(
        "contacts.ContactList", null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name="list of its people", help_text="The list that people join who come in by this key.",
    )  # fmt: skip
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(TenantOwned.Meta):
        ordering = ["-created_at", "-pk"]
        verbose_name = "API key"
        indexes = [models.Index(fields=["tenant", "-created_at"], name="api_keys_by_age")]

    def __str__(self) -> str:
        return self.name

    @property
    def scopes(self) -> frozenset[str]:
        """The APIs that it opens."""
        return frozenset(self.scope_words.split())

    @property
    def scopes_in_words(self) -> list[str]:
        """The same for people."""
        return [_scopes.get(scope, scope) for scope in sorted(self.scopes)]

    @property
    def is_expired(self) -> bool:
        """Whether its last day is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def works(self) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and not self.is_expired


class ApiAnswer(TenantOwned):
    """What was answered to a write, kept for 30 days under the Idempotency-Key that came with it (T7)."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="answers")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)  # of the method, the address and the body
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(default="{}")  # as it was sent, to the letter
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="api_answer_once")]
        indexes = [models.Index(fields=["tenant", "created_at"], name="api_answers_by_age")]

    def __str__(self) -> str:
        return f"Answer {self.status}"


@transaction.atomic
def issue(
    name: str,
    scope_words: set[str],
    by: User | None,
    expires_at: datetime | None = None,
    secret: str = "",
    joins: Any = None,
) -> tuple[ApiToken, str]:
    """A new key of the active organization, and its secret: the only time that it is in our hands. The demo brings a
    secret of its own."""
    secret = secret or PREFIX + secrets.token_urlsafe(32)
    token: ApiToken = ApiToken.objects.create(
        name=name.strip(), scope_words=" ".join(sorted(scope_words)), secret_hash=hash_of(secret), hint=secret[-4:],
        created_by=by, expires_at=expires_at, joins=joins,
    )  # fmt: skip
    note(HistoryEntry.Verb.ADDED, token, {"scopes": [None, token.scope_words]})
    return token, secret


@transaction.atomic
def revoke(token: ApiToken, by: User) -> bool:
    """It opens nothing from now on. Returns whether it did until now."""
    row = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
    if not row.update(revoked_at=timezone.now(), revoked_by=by):
        return False
    note(HistoryEntry.Verb.CHANGED, token, {"revoked": [False, True]})
    return True


def note(verb: str, token: ApiToken, changes: dict[str, list[Any]]) -> None:
    """Who made a key and who took it away stands in the history."""
    HistoryEntry.by_actor(verb=verb, what="API key", label=token.name[:250], changes=changes).save()


def hash_of(secret: str) -> str:
    """What is kept of it. Its 256 random bits need no slow hash, and one look by index tells nothing by its time."""
    return hashlib.sha256(secret.encode()).hexdigest()


def found(secret: str) -> ApiToken | None:
    """The key with this secret, if it works; asked before an organization is known. Notes that it was used."""
    rows = ApiToken.objects.with_scopes_disabled().select_related("tenant")
    token: ApiToken | None = rows.filter(secret_hash=hash_of(secret)).first()
    if token is None or not token.works:
        return None
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - USED_EVERY:
        with in_tenant(token.tenant):
            is_stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
            ApiToken.objects.filter(is_stale, pk=token.pk).update(last_used_at=now)
    return token


def forget_old_answers() -> int:
    """Remove answers of the active organization that nobody may ask for again."""
    return int(ApiAnswer.objects.filter(created_at__lt=timezone.now() - KEEP_ANSWERS).delete()[0])
