"""Quotes: the cells of a record as RFC 4180 writes them, and nothing looser.

The ``csv`` module is looser even when it is strict: it takes ``a"b`` and ``1, "x"`` as they
stand, and so lets a misplaced quote merge or split cells. It also has one limit for the length
of a cell for the whole process.
"""


class QuotingError(Exception):
    """A quote stands where none may be; the text says where and how to mend it."""


class UnclosedError(QuotingError):
    """The text ends within a quoted cell."""


def split_quoted(text: str, delimiter: str) -> list[str]:
    """Return the cells of *text*, which holds a quote and not the last line end.

    The text is cut at its quotes: what stands at even places is outside of quotes, what stands
    at odd places inside. So it takes time in proportion to the text, whatever stands in it.

    Raises:
        UnclosedError: The last cell is quoted and not closed; all before it is sound.
        QuotingError: A quote is misplaced.
    """
    parts = text.split('"')
    last_outside = parts.pop() if len(parts) % 2 else None
    cells = _cells_before(parts[0], delimiter, [])
    pieces = [parts[1]]  # of the quoted cell: a doubled quote stands between each two
    for outside, inside in zip(parts[2::2], parts[3::2], strict=True):
        if not outside:
            pieces.append(inside)
            continue
        cells.append('"'.join(pieces))
        pieces = [inside]
        if outside != delimiter:
            _refuse_text_after_quote(outside, delimiter, cells)
            cells = _cells_before(outside[1:], delimiter, cells)
    if last_outside is None:
        raise UnclosedError(
            f"the quote that opens cell {len(cells) + 1} is not closed where a cell can end; close"
            " it, and write each quote inside a quoted cell twice"
        )
    cells.append('"'.join(pieces))
    if last_outside:
        _refuse_text_after_quote(last_outside, delimiter, cells)
        cells.extend(last_outside[1:].split(delimiter))
    return cells


def _cells_before(outside: str, delimiter: str, cells: list[str]) -> list[str]:
    """Return *cells* and those of *outside*, which stands before an opening quote."""
    if not outside:
        return cells
    cells.extend(outside.split(delimiter))
    unfinished = cells.pop()
    if not unfinished:
        return cells
    where = f"cell {len(cells) + 1}"
    if unfinished.isspace():
        raise QuotingError(f"a blank stands before the opening quote of {where}; remove it")
    raise QuotingError(
        f"a quote stands inside {where}, which does not begin with one; put the whole cell in"
        " quotes and write each quote in it twice"
    )


def _refuse_text_after_quote(outside: str, delimiter: str, cells: list[str]) -> None:
    if outside[0] == delimiter:
        return
    where = f"cell {len(cells)}"
    if not outside.partition(delimiter)[0].strip():
        raise QuotingError(f"a blank stands after the closing quote of {where}; remove it")
    raise QuotingError(
        f"text stands after the closing quote of {where}; write each quote inside a quoted cell"
        " twice"
    )
