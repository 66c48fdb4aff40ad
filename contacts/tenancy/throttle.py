"""Keeps things from being asked for too often, counted in the database, so that all processes count together."""

import math
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from contacts.tenancy.models import Tally

KEEP = timedelta(days=2)
COUNT = (
    f'INSERT INTO {Tally._meta.db_table} AS row (what, "key", since, "count") VALUES (%s, %s, %s, 1) '  # noqa: S608
    'ON CONFLICT (what, "key", since) DO UPDATE SET "count" = row."count" + 1 RETURNING "count"'
)


def is_too_often(what: str, key: str, limit: int, within: timedelta) -> bool:
    """Count this time, and say whether it is one too many for the present hour or day."""
    return counted(what, key, within) > limit


def counted(what: str, key: str, within: timedelta) -> int:
    """Count this time, and say the how manieth it is in the present minute, hour or day."""
    since = connection.ops.adapt_datetimefield_value(_begin(within))
    with connection.cursor() as cursor:  # one statement: whoever counts at the same moment counts on from here
        cursor.execute(COUNT, [what, _hidden(key), since])
        return int(cursor.fetchone()[0])


def until_next(within: timedelta) -> int:
    """In how many seconds counting begins anew."""
    return max(1, math.ceil((_begin(within) + within - timezone.now()).total_seconds()))


def visitor(request: HttpRequest) -> str:
    """The address somebody comes from, or "" when a proxy does not say: then all visitors would look like one."""
    if settings.BEHIND_PROXY:  # the last is what our own proxy saw; those before it are anybody's to invent
        return request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def forget_old_tallies() -> int:
    """Remove what counts no longer."""
    return Tally.objects.filter(since__lt=timezone.now() - KEEP).delete()[0]


def _begin(within: timedelta) -> datetime:
    seconds = int(within.total_seconds())
    return datetime.fromtimestamp(int(timezone.now().timestamp()) // seconds * seconds, UTC)


def _hidden(key: str) -> str:
    """Addresses are not kept: a hash with the installation's key is enough to count."""
    return salted_hmac("almoner.throttle", key, algorithm="sha256").hexdigest()
