import pytest

from ecg_core.errors import DuplicateName, UnknownName
from ecg_core.registry import Registry


@pytest.fixture
def colours():
    registry = Registry("colour")
    registry.register("red", 1)
    registry.register("blue", 2)
    return registry


def test_registered_items_are_found_in_the_order_they_came(colours):
    assert colours["red"] == 1
    assert list(colours) == ["red", "blue"]
    assert len(colours) == 2
    assert "blue" in colours
    assert "green" not in colours


def test_register_returns_the_item():
    item = object()
    assert Registry("thing").register("a", item) is item


def test_duplicate_is_refused_and_the_first_stays(colours):
    with pytest.raises(DuplicateName, match="red: the colour is registered already"):
        colours.register("red", 3)
    assert colours["red"] == 1


def test_miss_lists_the_choices_and_guesses_what_was_meant(colours):
    with pytest.raises(UnknownName) as caught:
        colours["bleu"]
    assert str(caught.value) == "colour: no such colour, did you mean 'blue'?; found: 'bleu'; options: blue, red"


def test_miss_near_nothing_does_not_guess(colours):
    with pytest.raises(UnknownName) as caught:
        colours["xyzzy"]
    assert str(caught.value) == "colour: no such colour; found: 'xyzzy'; options: blue, red"


def test_get_raises_like_a_lookup(colours):
    with pytest.raises(LookupError):
        colours["green"]
