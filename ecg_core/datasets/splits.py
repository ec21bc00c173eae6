"""Cross-validation that keeps what belongs together (a patient, a tape) on one side."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from operator import attrgetter
from typing import Any, TypeVar

from ecg_core.errors import InvalidValue

T = TypeVar("T")

_GROUP_OF_ENTRY: Callable[[Any], str] = attrgetter("group")


def folds(
    items: Iterable[T],
    k: int,
    *,
    seed: int = 0,
    group: Callable[[T], str] = _GROUP_OF_ENTRY,
    stratum: Callable[[T], Hashable] | None = None,
) -> list[list[T]]:
    """Deal ``items`` into ``k`` disjoint test sets, whole groups at a time.

    The order of dealing is that of the sha256 of seed and group name, so neither the order of ``items`` nor the
    platform matters. Each group goes where its stratum, then the fold as a whole, has the fewest items.

    Parameters
    ----------
    items
        What to deal, usually the entries of a data set.
    k
        Number of folds, at least 2 and at most the number of groups.
    seed
        Another seed, another deal.
    group
        Names what must stay together; the ``group`` of an entry unless given.
    stratum
        A property to spread evenly (``lambda entry: entry.truth().label``); that of a group is its first item's.

    Returns
    -------
    ``k`` lists that together hold every item once, each in the order of ``items``.
    """
    ordered = list(items)
    groups: dict[str, list[int]] = {}
    for position, item in enumerate(ordered):
        groups.setdefault(group(item), []).append(position)
    if not 2 <= k <= len(groups):
        raise InvalidValue("not a number of folds", field="k", found=k, expected=f"2 to {len(groups)}, the groups here")
    dealt: list[list[int]] = [[] for _ in range(k)]
    by_stratum: list[Counter[Hashable]] = [Counter() for _ in range(k)]
    for name in sorted(groups, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest()):
        members = groups[name]
        layer = stratum(ordered[members[0]]) if stratum else None
        target = min(range(k), key=lambda fold: (by_stratum[fold][layer], len(dealt[fold]), fold))
        dealt[target].extend(members)
        by_stratum[target][layer] += len(members)
    return [[ordered[position] for position in sorted(positions)] for positions in dealt]
