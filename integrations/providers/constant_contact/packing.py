"""Who goes together in one piece of bulk work: as few pieces as possible, whatever mixture of lists people are on."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from integrations.provider_kit.states import Operation, Verb
from integrations.providers.constant_contact.api import PAGE


@dataclass(frozen=True, slots=True)
class Pack:
    """These people, and the lists that all of them are put on, or taken off."""

    lists: list[str]
    operations: list[Operation]


def pack(
    operations: Iterable[Operation], lists_of: Callable[[Operation], Iterable[str]],
    alike: Callable[[Operation], Hashable], most: int,
) -> list[Pack]:  # fmt: skip
    """Either those with just the same lists together, or a pack for each list with everybody who is on it, so that some
    are in several: whichever makes fewer packs. Only who is `alike` can share one, and at most so many."""
    same: defaultdict[Any, list[Operation]] = defaultdict(list)
    by_list: defaultdict[Any, list[Operation]] = defaultdict(list)
    for operation in operations:
        lists = tuple(sorted(lists_of(operation)))
        same[lists, alike(operation)].append(operation)
        for each in lists:
            by_list[(each,), alike(operation)].append(operation)
    return min((_cut(groups, most) for groups in (same, by_list)), key=len)


def _cut(groups: dict[Any, list[Operation]], most: int) -> list[Pack]:
    return [
        Pack(list(lists), some[start : start + most])
        for (lists, _), some in groups.items()
        for start in range(0, len(some), most)
    ]


def is_worth_it(packs: list[Pack], operations: list[Operation]) -> bool:
    """Whether bulk work takes fewer calls than asking one by one: each pack is handed in and asked about, and everybody
    is read back; alone, somebody new is one call, and everybody else is read and written."""
    alone = sum(1 if operation.verb == Verb.CREATE else 2 for operation in operations)
    return 2 * len(packs) + 1 + len(operations) // PAGE < alone
