"""The batches that ``importer.reading`` returns."""

import io

import pandas as pd
import pytest
from reading_cases import read

from importer.errors import InputError
from importer.reading import open_source, source
from importer.reading.lines import LineReader
from importer.settings import SourceOptions


def test_batch_has_cells_of_well_formed_records_and_lines_of_all() -> None:
    """Cells are text by position, and rows are numbered."""
    with open_source(SourceOptions(path=None), io.BytesIO(b"a,b\n1,\n2\n3,NA\n")) as opened:
        (batch,) = opened.batches()
    expected = pd.DataFrame(
        [["1", ""], ["3", "NA"]], index=pd.Index([1, 3], name="row"), columns=range(2), dtype=object
    )
    pd.testing.assert_frame_equal(expected, batch.cells)
    lines = pd.Series([2, 3, 4], index=pd.RangeIndex(1, 4, name="row"))
    pd.testing.assert_series_equal(lines, batch.lines)
    assert [(b.issue.row, b.issue.code) for b in batch.broken] == [(2, "invalid.record")]
    assert {str} == {type(cell) for cell in batch.cells.to_numpy().flat}


def test_batch_without_well_formed_records_has_its_columns() -> None:
    """All of them, without rows."""
    with open_source(SourceOptions(path=None), io.BytesIO(b"a,b\n1\n")) as opened:
        (batch,) = opened.batches()
    assert batch.cells.shape == (0, 2)
    assert (batch.cells.index.name, str(batch.cells.index.dtype)) == ("row", "int64")
    assert {"object"} == set(batch.cells.dtypes.astype(str))


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [(None, [4, 4, 2]), (0, []), (3, [3]), (4, [4]), (5, [4, 1]), (99, [4, 4, 2])],
)
def test_row_numbers_continue_across_batches(limit: int | None, sizes: list[int]) -> None:
    """From 1, without gaps, including faulty rows."""
    text = "a,b\n" + "1,2\n3\n" * 5
    reading = read(text, limit=limit, max_rows=4)
    assert sizes == reading.sizes
    assert list(range(1, sum(sizes) + 1)) == sorted({*reading.cells, *reading.broken})
    assert list(range(2, sum(sizes) + 2)) == list(reading.lines.values())


def test_first_batch_is_small() -> None:
    """So the first contacts are sent before thousands of rows are read."""
    assert read("a\n" + "x\n" * 300).sizes == [250, 50]


def test_long_cells_make_short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise megabytes in a cell would become gigabytes in a batch."""
    monkeypatch.setattr(source, "MAX_BATCH_CHARACTERS", 100)
    assert read("a\n" + ("x" * 60 + "\n") * 4 + "y" * 500 + "\nz\nz\n").sizes == [2, 2, 1, 2]


def test_endless_line_is_an_error() -> None:
    """It would fill the memory."""
    texts = iter(["a\n", *("x" * 300 for _ in range(10))])
    with pytest.raises(InputError, match="line 2 is longer than 1,000 characters"):
        list(LineReader(texts, max_characters=1000))
