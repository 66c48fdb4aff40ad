"""Transactions of the engine that give way to people: staff who save at the same moment are never the ones refused.

Staff lock what they change and then the ledger's row; the engine comes from the other side. On PostgreSQL one of two
who wait for each other is thrown out after a second. The engine waits less than that, lets go, and tries again.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

Result = TypeVar("Result")
WAIT_MS = 300  # for a lock; below PostgreSQL's second, after which it throws out whom it likes
TRIES = 30  # the last of them waits as long as it takes
TAKEN, DEADLOCK = "55P03", "40P01"  # what PostgreSQL calls a lock that was not had in time, and two who wait in a ring


def giving_way(work: Callable[[], Result]) -> Result:
    """Do this in one transaction, again from the start whenever somebody else holds what it needs.

    `work` must not remember anything of an attempt that was taken back. Inside another transaction it is tried once.
    """
    tries = 1 if connection.in_atomic_block else TRIES
    for attempt in range(1, tries + 1):
        try:
            with transaction.atomic():
                if connection.vendor == "postgresql" and attempt < tries:
                    with connection.cursor() as cursor:
                        cursor.execute(f"SET LOCAL lock_timeout = {WAIT_MS}")
                return work()
        except OperationalError as error:
            if attempt == tries or getattr(error.__cause__, "sqlstate", "") not in (TAKEN, DEADLOCK):
                raise
        time.sleep(random.uniform(0.05, 0.3))  # noqa: S311  so that two of ours do not meet again
    raise AssertionError("the last try returns or raises")
