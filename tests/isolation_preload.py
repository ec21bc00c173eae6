"""Imported by the worker processes of `tests.test_isolation`, so that no other test meets the reader."""

from ecg_core.readers import READERS
from tests.isolation_readers import OBEDIENT

READERS.register("obedient", OBEDIENT)
