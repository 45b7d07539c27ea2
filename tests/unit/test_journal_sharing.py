"""Identifiers of different people and guests of different identifiers are found."""

import itertools
import math
import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from importer.journal import SharedGuests, SharedIdentifiers

ANN, BOB, LEE, RAY, BORN, LATER = range(1, 7)
GUEST = "f" * 32


@pytest.fixture
def guests() -> Iterator[SharedGuests]:
    """An empty memory of guests."""
    with closing(SharedGuests()) as empty:
        yield empty


@pytest.mark.parametrize(
    ("people", "is_shared"),
    [
        pytest.param([(ANN, LEE, None), (ANN, LEE, None)], False, id="the same person"),
        pytest.param([(ANN, LEE, None), (BOB, LEE, None)], True, id="another first name"),
        pytest.param([(ANN, LEE, None), (ANN, RAY, None)], True, id="another last name"),
        pytest.param([(ANN, LEE, BORN), (ANN, LEE, LATER)], True, id="another birthday"),
        pytest.param([(ANN, None, None), (None, LEE, None)], False, id="nothing to compare"),
        pytest.param([(None, None, None), (ANN, LEE, BORN)], False, id="a row without a name"),
        pytest.param(
            [(ANN, None, None), (None, LEE, None), (None, RAY, None)], True, id="filled in between"
        ),
        pytest.param(
            [(ANN, LEE, None), (BOB, LEE, None), (ANN, LEE, None)], True, id="found only once"
        ),
    ],
)
@pytest.mark.parametrize("batch", [1, 10])
def test_identifier_is_shared_if_two_rows_differ(
    people: list[tuple[int | None, int | None, int | None]], batch: int, *, is_shared: bool
) -> None:
    """Within a batch and across batches; blank values differ from nothing."""
    holders = [(-7, *person, line) for line, person in enumerate(people, 2)]
    with closing(SharedIdentifiers()) as shared:
        for start in range(0, len(holders), batch):
            shared.add(holders[start : start + batch])
        shared.add([(8, ANN, LEE, BORN, 9)])
        assert shared.count() == int(is_shared)
        assert bool(shared.first_lines(5)) is is_shared


def test_first_lines_are_those_of_the_first_shared_identifiers() -> None:
    """Both rows of each, ascending, and no more than asked for."""
    with closing(SharedIdentifiers()) as shared:
        shared.add((number, ANN, None, None, 2 + number) for number in range(1000))
        shared.add((number, BOB, None, None, 2000 - number) for number in range(990, 1000))
        assert shared.count() == 10
        assert shared.first_lines(4) == [998, 999, 1000, 1001]


@pytest.mark.parametrize(
    ("contacts", "is_shared"),
    [
        pytest.param(["a1", "a1"], False, id="the same"),
        pytest.param(["a1", "a2"], True, id="two ids of one provider"),
        pytest.param(["a1a2", "a1a2"], False, id="two ids of one provider in one contact"),
        pytest.param(["a1", "b1"], True, id="nothing in common"),
        pytest.param(["a1", "a1b1", "b1"], False, id="joined by a contact that has both"),
        pytest.param(["a1b1", "b1c1", "c1"], False, id="joined in a chain"),
        pytest.param(["a1b1", "a1b2"], True, id="one id in common, another not"),
    ],
)
@pytest.mark.parametrize("batch", [1, 10])
def test_guest_has_different_identifiers(
    guests: SharedGuests, contacts: list[str], batch: int, *, is_shared: bool
) -> None:
    """In whatever order the contacts arrive, within a batch and across batches."""
    for ref, order in enumerate(itertools.permutations(contacts)):
        linked = [
            (f"{ref:032}", tuple((ord(one[0]), int(one[1])) for one in re.findall(r"\w\d", text)))
            for text in order
        ]
        for start in range(0, len(linked), batch):
            guests.add(linked[start : start + batch])
    guests.add([(GUEST, ((-1, -(2**63)),)), (GUEST, ())])
    many = math.factorial(len(contacts))
    assert guests.count() == many * is_shared
    assert guests.refs(1) == [f"{0:032}"] * is_shared
