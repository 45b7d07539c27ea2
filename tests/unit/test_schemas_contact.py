"""The contact schema as a whole."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from batches import NOW, ORDER

from schemas.contact import check_contacts, contact_schema
from schemas.dates import BirthDates
from schemas.text import Fault, Missing


def frame_of(**columns: list[object]) -> pd.DataFrame:
    """Return a mapped frame, rows from 1."""
    return pd.DataFrame(columns, index=range(1, 1 + len(columns["orderRef"])), dtype=object)


def test_frame_comes_back_in_normal_form() -> None:
    """A frame without faults is what is sent; blank values stay blank."""
    frame = frame_of(
        orderRef=[ORDER.upper(), ORDER],
        emails=[("a@b.ie",), ()],
        identifiers=[(("CRM", "7"),), ()],
        title=["MR.", "Herr"],
        gender=["Male", ""],
        dateOfBirth=["1991-01-01", ""],
        phoneNumbers=[("+353 1 611 2334", "+353161123345"), ()],
        country=["Ireland", ""],
    )
    checked = check_contacts(contact_schema(BirthDates(NOW)), frame)
    assert checked.faults == ()
    assert checked.frame["orderRef"].tolist() == [ORDER, ORDER]
    assert checked.frame["title"].tolist() == ["Mr", "Herr"]
    assert checked.frame["gender"].tolist() == ["male", ""]
    assert checked.frame["dateOfBirth"].tolist() == ["1991-01-01T00:00:00Z", ""]
    assert checked.frame["phoneNumbers"].tolist() == [("+35316112334", "+353161123345"), ()]
    assert checked.frame["country"].tolist() == ["IE", ""]
    assert ORDER.upper() == frame["orderRef"][1], "the caller's frame is left alone"


def test_every_faulty_cell_is_reported() -> None:
    """Faults have row and field, and their values are removed."""
    frame = frame_of(
        orderRef=["", ORDER, ORDER],
        firstName=["a\x00", "b", ""],
        city=["a", "b\n", ""],
        emails=[("x", "a@b.ie", "@"), (), ()],
        identifiers=[(), (("CRM", "\x01"),), ()],
    )
    checked = check_contacts(contact_schema(BirthDates(NOW), require=["city"]), frame)
    places = sorted((row, field) for row, field, _ in checked.faults)
    assert places == [
        (1, "emails"), (1, "firstName"), (1, "orderRef"),
        (2, "city"), (2, "identifiers"),
        (3, "city"), (3, "contact"),
    ]  # fmt: skip
    faults = {(row, field): fault for row, field, fault in checked.faults}
    assert [message[:7] for message in faults[1, "emails"].messages] == ["item 1:", "item 3:"]
    assert isinstance(faults[3, "city"], Missing)
    assert isinstance(checked.frame["firstName"][1], Fault)


def test_value_that_is_not_in_normal_form_is_refused() -> None:
    """The checks do not rely on the parsers."""
    schema = contact_schema(BirthDates(NOW))
    for field in ("orderRef", "emails", "phoneNumbers", "dateOfBirth", "country", "gender", "city"):
        schema.columns[field].parsers = []
    frame = frame_of(
        orderRef=[ORDER.upper()],
        emails=[("a\x00@b.ie",)],
        phoneNumbers=[("0161123345",)],
        dateOfBirth=["1991-01-01"],
        country=["ie"],
        gender=["Male"],
        city=["\x07"],
    )
    checked = check_contacts(schema, frame)
    assert [field for _, field, _ in checked.faults] == [
        "orderRef", "emails", "city", "gender", "dateOfBirth", "phoneNumbers", "country",
    ]  # fmt: skip
    assert {fault.messages for *_, fault in checked.faults} == {("not in the form that is sent",)}


@pytest.mark.parametrize(
    "frame",
    [
        frame_of(orderRef=[ORDER], nosuch=["x"]),
        frame_of(orderRef=[ORDER], city=["x"]).astype("category"),
        pd.DataFrame({"orderRef": [ORDER] * 2}, index=[1, 1], dtype=object),
    ],
    ids=["column", "dtype", "index"],
)
def test_frame_of_another_shape_is_an_internal_error(frame: pd.DataFrame) -> None:
    """It stops the run, and the message contains no values."""
    with pytest.raises(RuntimeError, match="does not fit the contact schema") as caught:
        check_contacts(contact_schema(BirthDates(NOW)), frame)
    assert caught.value.__context__ is None
    assert ORDER not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["PANDERA_VALIDATION_ENABLED=False", "PANDERA_VALIDATION_DEPTH=SCHEMA_ONLY"]
)
def test_environment_cannot_switch_validation_off(name: str) -> None:
    """The switches of pandera have no effect here."""
    program = (
        "import sys; sys.path[:0] = sys.argv[1:];"
        "from batches import validated;"
        "print(*validated(('orderRef', 'gender'), ('x', 'y')).issues[1])"
    )
    key, value = name.split("=")
    done = subprocess.run(
        [sys.executable, "-c", program, str(Path.cwd()), "tests/support"],
        env=os.environ | {key: value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "invalid.orderRef" in done.stdout
    assert "invalid.gender" in done.stdout
