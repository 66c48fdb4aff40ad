"""Where a page of a search ends: an opaque, signed word for the organization and the criteria that it was made for."""

import hashlib
import json
from typing import Any

from django.core import signing

from contacts.api.problems import Problem
from contacts.tenancy.keys import ApiToken

SALT = "donors.search"


def written(after: int, criteria: dict[str, Any], token: ApiToken) -> str:
    """The key for what follows this donor. It needs no row, so it outlives every donor."""
    return signing.dumps([token.tenant_id, digest(criteria), after], salt=SALT)


def read(key: str, criteria: dict[str, Any], token: ApiToken) -> int:
    """The donor after which to go on. Raises 400 for a key that is not ours, or was made for something else."""
    try:
        tenant, made_for, after = signing.loads(key, salt=SALT) if len(key) <= 500 else ("", "", 0)
    except (signing.BadSignature, ValueError):
        tenant = made_for = ""
        after = 0
    if tenant != token.tenant_id:
        raise Problem(400, "invalid", "This exclusiveStartKey is none of ours. Start again without one.")
    if made_for != digest(criteria):
        raise Problem(400, "invalid", "This exclusiveStartKey was made for another search. Send the same body again.")
    return int(after)


def digest(criteria: dict[str, Any]) -> str:
    """The same for the same search."""
    return hashlib.sha256(json.dumps(criteria, sort_keys=True).encode()).hexdigest()[:16]
