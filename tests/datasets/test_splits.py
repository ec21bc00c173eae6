"""Cross-validation keeps groups whole and does not depend on order."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_core.datasets import DATASETS, Entry, folds
from ecg_core.datasets.mitdb import DS1, DS2, PACED, RECORDS
from ecg_core.errors import InvalidValue


@dataclass(frozen=True)
class Thing:
    name: str
    group: str
    kind: str = ""


things = st.lists(
    st.builds(Thing, st.text(min_size=1, max_size=4), st.sampled_from("abcdefgh"), st.sampled_from("xy")),
    min_size=20,
    max_size=60,
    unique_by=lambda thing: thing.name,
).filter(lambda items: len({item.group for item in items}) >= 4)


@given(things, st.integers(2, 4), st.integers(0, 3), st.randoms())
def test_folds_partition_keep_groups_and_ignore_order(items: list[Thing], k: int, seed: int, random: object) -> None:
    dealt = folds(items, k, seed=seed)
    assert len(dealt) == k
    assert all(dealt)
    assert sorted(item.name for fold in dealt for item in fold) == sorted(item.name for item in items)
    groups = [{item.group for item in fold} for fold in dealt]
    assert sum(map(len, groups)) == len(set().union(*groups))
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = folds(shuffled, k, seed=seed)
    assert [{item.name for item in fold} for fold in again] == [{item.name for item in fold} for fold in dealt]


def test_folds_of_single_records_are_of_even_size_and_follow_the_seed() -> None:
    items = [Thing(str(i), str(i)) for i in range(26)]
    dealt = folds(items, 5)
    assert sorted(map(len, dealt)) == [5, 5, 5, 5, 6]
    assert folds(items, 5, seed=1) != dealt


def test_folds_do_not_change_between_versions() -> None:
    dealt = folds([Thing(name, name) for name in "abcdefgh"], 3)
    assert [[item.name for item in fold] for fold in dealt] == [["b", "d", "h"], ["a", "e", "f"], ["c", "g"]]


def test_stratum_is_spread_evenly() -> None:
    items = [Thing(str(i), str(i), "rare" if i < 10 else "usual") for i in range(100)]
    for fold in folds(items, 5, stratum=lambda item: item.kind):
        assert sum(item.kind == "rare" for item in fold) == 2
        assert len(fold) == 20


@pytest.mark.parametrize("k", [0, 1, 4])
def test_impossible_number_of_folds_is_refused(k: int) -> None:
    with pytest.raises(InvalidValue, match="2 to 3"):
        folds([Thing(name, name) for name in "abc"], k)


def test_de_chazal_halves_and_paced_records_are_disjoint_and_complete() -> None:
    assert (len(DS1), len(DS2), len(PACED)) == (22, 22, 4)
    assert len({*DS1, *DS2, *PACED}) == 48 == len(RECORDS)


def entry(fold: int) -> Entry[None]:
    return Entry(f"r{fold}", load=lambda: None, truth=lambda: None, fold=fold)  # type: ignore[arg-type, return-value]


def test_ptbxl_splits_take_the_folds_they_say() -> None:
    ptbxl = DATASETS["ptbxl"]
    everything = [entry(fold) for fold in range(1, 11)]

    def taken(split: str) -> list[int | None]:
        return [chosen.fold for chosen in ptbxl.choose(everything, split)]

    assert taken("train") == [1, 2, 3, 4, 5, 6, 7]
    assert taken("validation") == [8]
    assert taken("test") == taken("9") == taken("published-validation") == [9]
    assert taken("refit") == taken("published-train") == [1, 2, 3, 4, 5, 6, 7, 8]
    assert taken("published-test") == taken("10") == [10]


def test_unknown_split_lists_the_choices() -> None:
    with pytest.raises(InvalidValue, match="ds1, ds2, paced"):
        DATASETS["mitdb"].choose([], "train")


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_every_set_says_where_it_is_published_and_under_which_licence(name: str) -> None:
    dataset = DATASETS[name]
    assert dataset.name == name
    for text in (dataset.title, dataset.about, dataset.licence, dataset.citation):
        assert text
    assert dataset.page.startswith("http") or dataset.in_memory
    origin = dataset.origin
    assert (origin.base_url or "https://").startswith("https://")
    assert origin.base_url is not None or origin.by_hand
    assert all(split.about for split in dataset.splits.values())
