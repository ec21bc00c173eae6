"""One function in many processes: order, failures, and that no process is left behind."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from types import MappingProxyType

import pytest

from ecg_core.errors import EcgError, InvalidValue
from ecg_core.processes import in_processes


def answered(item: int, unit: str = "") -> tuple[int, str, int]:
    """Work that says where it was done; the later items are the quicker ones."""
    time.sleep(0.02 / (1 + item))
    return item, unit, os.getpid()


def read_only(item: int) -> MappingProxyType[str, int]:
    return MappingProxyType({"item": item})


def refused(item: int) -> int:
    if item == 2:
        raise InvalidValue("two will not do", field="item", found=item)
    return item


def gone(item: int) -> int:
    if item == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def stubborn(_: int) -> object:
    return lambda: None


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_results_come_in_order_from_as_many_processes_as_asked_for_and_these_end():
    found = list(in_processes(partial(answered, unit="mV"), range(12), 2))
    assert [item for item, _, _ in found] == list(range(12))
    assert {unit for _, unit, _ in found} == {"mV"}
    pids = {pid for _, _, pid in found}
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert not any(alive(pid) for pid in pids)


def test_processes_end_when_the_caller_wants_no_more_and_items_are_not_taken_far_ahead():
    taken = []

    def items():
        for item in range(1000):
            taken.append(item)
            yield item

    found = in_processes(answered, items(), 1)
    _, _, pid = next(found)
    assert alive(pid)
    found.close()
    assert not alive(pid)
    assert len(taken) <= 4


def test_read_only_mappings_pass():
    assert [dict(found) for found in in_processes(read_only, [1], 1)] == [{"item": 1}]


def test_an_error_is_raised_where_its_item_stood():
    found = in_processes(refused, range(4), 2)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(InvalidValue, match="item: two will not do; found: 2"):
        next(found)


def test_the_end_of_a_process_is_told():
    with pytest.raises(EcgError, match="a process of the work ended; found: exit status -9"):
        list(in_processes(gone, range(3), 1))


def test_a_result_that_cannot_be_sent_is_an_error_and_not_the_end():
    with pytest.raises(EcgError, match="a result cannot leave its process"):
        list(in_processes(stubborn, [1], 1))


def test_nothing_to_do_gives_nothing():
    assert list(in_processes(answered, [], 2)) == []
