"""Whole files of the kinds that public collections of odd CSV files hold, written anew."""

from dataclasses import dataclass

import pytest
from reading_cases import read


@dataclass(frozen=True)
class Case:
    """A file, and the well-formed and faulty rows in it."""

    text: str
    sound: dict[int, tuple[str, ...]]
    broken: tuple[int, ...] = ()


TWO = {1: ("1", "2"), 2: ("3", "4")}
CASES = {
    # csv-spectrum: what every reader should read alike
    "comma in quotes": Case('a,b\nx,"y, z"\n', {1: ("x", "y, z")}),
    "empty": Case('a,b,c\n1,"",""\n2,3,4\n', {1: ("1", "", ""), 2: ("2", "3", "4")}),
    "empty, CRLF": Case('a,b,c\r\n1,"",""\r\n2,3,4\r\n', {1: ("1", "", ""), 2: ("2", "3", "4")}),
    "escaped quotes": Case('a,b\n1,"ha ""ha"" ha"\n3,4\n', {1: ("1", 'ha "ha" ha'), 2: ("3", "4")}),
    "JSON": Case(
        'key,val\n1,"{""type"": ""Point"", ""at"": [1.0, 2.0]}"\n',
        {1: ("1", '{"type": "Point", "at": [1.0, 2.0]}')},
    ),
    "newlines": Case(
        'a,b\n1,"Once upon \na time"\n3,4\n', {1: ("1", "Once upon \na time"), 2: ("3", "4")}
    ),
    "newlines, CRLF": Case('a,b\r\n1,"x\r\ny"\r\n3,4\r\n', {1: ("1", "x\r\ny"), 2: ("3", "4")}),
    "quotes and newlines": Case(
        'a,b\n1,"ha \n""ha"" \nha"\n3,4\n', {1: ("1", 'ha \n"ha" \nha'), 2: ("3", "4")}
    ),
    "UTF-8": Case("a,b\n1,2\n3,ʤ\n", {1: ("1", "2"), 2: ("3", "ʤ")}),
    # Pollock: one deviation from the standard in each file
    "no line end at the end": Case("a,b\n1,2\n3,4", TWO),
    "two line ends at the end": Case("a,b\n1,2\n3,4\n\n", TWO),
    "header only": Case("a,b\n", {}),
    "one data row": Case("a,b\n1,2\n", {1: ("1", "2")}),
    "a blank line first": Case("\na,b\n1,2\n3,4\n", TWO),
    "a separator less in one row": Case(
        "a,b\n1,2\n34\n5,6\n", {1: ("1", "2"), 3: ("5", "6")}, (2,)
    ),
    "a separator more in one row": Case(
        "a,b\n1,2\n3,,4\n5,6\n", {1: ("1", "2"), 3: ("5", "6")}, (2,)
    ),
    "a separator more in every row": Case("a,b\n1,2,\n3,4,\n", TWO),
    "an extra quote in one row": Case(
        'a,b\n"1","2"\n""3","4"\n"5","6"\n', {1: ("1", "2"), 3: ("5", "6")}, (2,)
    ),
    "an extra quote at the end of a cell": Case(
        'a,b\n"1","2"\n"3"","4"\n"5","6"\n', {1: ("1", "2"), 3: ("5", "6")}, (2,)
    ),
    "a lost closing quote": Case(
        'a,b\n"1","2"\n"3","4\n"5","6"\n', {1: ("1", "2"), 3: ("5", "6")}, (2,)
    ),
    "a lost opening quote": Case(
        'a,b\n"1","2"\n3","4"\n"5","6"\n', {1: ("1", "2"), 3: ("5", "6")}, (2,)
    ),
    "comma and blank as delimiter": Case('a,b\n"1", "2"\n3, 4\n', {1: ("1", "2"), 2: ("3", " 4")}),
    "apostrophe as quote": Case("a,b\n'1','2'\n'3,4'\n", {1: ("'1'", "'2'"), 2: ("'3", "4'")}),
    "backslash as escape": Case('a,b\n"1 \\"x\\"","2"\n3,4\n', {2: ("3", "4")}, (1,)),
    "several tables": Case("a,b\n1,2\n\nc,d,e\n3,4,5\n", {1: ("1", "2")}, (2, 3)),
    "a note at the end": Case("a,b\n1,2\nTotal: 1 row\n", {1: ("1", "2")}, (2,)),
    "record ends of a Mac": Case("a,b\r1,2\r3,4\r", TWO),
    "Excel with sep line and mark": Case("\ufeffsep=;\r\na;b\r\n1;2\r\n3;4\r\n", TWO),
    "decimal commas": Case("a;b\n1,5;2\n", {1: ("1,5", "2")}),
    "tabs, with commas in cells": Case("a\tb\n1, one\t2\n", {1: ("1, one", "2")}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_odd_file_is_read_record_by_record(case: Case) -> None:
    """Well-formed records are read, and only the others are faulty."""
    reading = read(case.text)
    assert reading.cells == case.sound
    assert tuple(reading.broken) == case.broken
