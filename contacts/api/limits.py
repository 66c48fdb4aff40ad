"""How often a key and an organization may call: counted in the database, so that all processes count together."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from contacts.api.problems import Problem
from contacts.tenancy.keys import ApiToken
from contacts.tenancy.throttle import counted, until_next

WITHIN = timedelta(minutes=1)


class TooManyCalls(Problem):
    """429, with when to come back."""

    def __init__(self, wait: int) -> None:
        super().__init__(429, "too-many-calls", f"Too many calls in this minute. Call again in {wait} seconds.")
        self.wait = wait


def count(token: ApiToken) -> dict[str, str]:
    """Count this call; the headers that say what is left. Raises `TooManyCalls`, with those headers."""
    by_key, by_organization = settings.API_CALLS_PER_MINUTE, settings.API_CALLS_PER_MINUTE_ORGANIZATION
    with transaction.atomic():  # one write of the database
        left = by_key - counted("api key", str(token.pk), WITHIN)
        # A key that is over its limit does not use up what is the others'.
        if left >= 0:
            left = min(left, by_organization - counted("api organization", str(token.tenant_id), WITHIN))
    wait = until_next(WITHIN)
    headers = {
        "RateLimit-Limit": str(min(by_key, by_organization)), "RateLimit-Remaining": str(max(left, 0)),
        "RateLimit-Reset": str(wait),
    }  # fmt: skip
    if left < 0:
        problem = TooManyCalls(wait)
        problem.headers = headers  # type: ignore[attr-defined]
        raise problem
    return headers
