"""Cells as they are written for people who open the results in a spreadsheet."""

from typing import Final

# What makes a spreadsheet run a cell: OWASP, "CSV Injection"; the last four are full-width.
_FORMULA_STARTS: Final = (*"=+-@\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def defused(cell: str) -> str:
    """The cell with a quote mark in front if a spreadsheet would run it as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
