"""Cells that hold several values."""

import pytest
from batches import ORDER, batch_of

from importer.mapping import Mapper
from importer.records import Mapped
from importer.settings import MappingOptions


def mapped(header: tuple[str, ...], *cells: str, **options: object) -> Mapped:
    """Map one row, number 7."""
    mapper = Mapper.of(("orderRef", *header), MappingOptions(**options))  # type: ignore[arg-type]
    return mapper.apply(batch_of((ORDER, *cells), first=7).cells)


def value(field: str, cell: str, **options: object) -> object:
    """Return the value of one cell, or its messages."""
    found = mapped((field,), cell, **options)
    return [issue.message for issue in found.issues] or found.fields[field].tolist()[0]


@pytest.mark.parametrize(
    ("field", "cell", "items"),
    [
        ("emails", "a;b|c\nd\r\ne,f", ("a", "b", "c", "d", "e", "f")),
        ("phoneNumbers", "+1,+2", ("+1", "+2")),
        ("street", "1 Main St, Flat 2; Dublin", ("1 Main St, Flat 2", "Dublin")),
        ("street", " ; | \n", ()),
        ("street", "", ()),
        ("street", " \u00a0x ", ("\u00a0x",)),
        ("emails", '"a;b,c"@x.ie; d', ('"a;b,c"@x.ie', "d")),
        ("emails", r'"a\";b"@x.ie,d', (r'"a\";b"@x.ie', "d")),
        ("emails", '"a;b', ('"a', "b")),
        ("street", ' ["a;b", " c ", ""] ', ("a;b", "c")),
        ("street", "[]", ()),
        ("phoneNumbers", "[353861234567, 3.53861E+11]", ("353861234567", "3.53861E+11")),
    ],
)
def test_list_cell_is_split(field: str, cell: str, items: tuple[str, ...]) -> None:
    """Items are trimmed, blank ones left out, and characters that are no separator are kept."""
    assert items == value(field, cell)


ENTITIES = [
    pytest.param("street", "Smith &amp; Sons House", 1, id="named"),
    pytest.param("street", "12 O&#39;Connell St", 1, id="decimal"),
    pytest.param("street", "12 O&#x27;Connell St", 1, id="hexadecimal"),
    pytest.param("street", "12 O&#X2019;Connell St", 1, id="hexadecimal, upper case"),
    pytest.param("street", "Caf&eacute; &Uuml;ber; Dublin", 2, id="letters"),
    pytest.param("street", "a &AMP; b", 1, id="upper case"),
    pytest.param("street", "a&nbsp;b;c", 2, id="beside a separator"),
    pytest.param("street", "a &amp;; b", 2, id="followed by a separator"),
    pytest.param("street", "O&amp;#39;Connell St", 1, id="encoded twice"),
    pytest.param("street", "a &amp;amp; b; c", 2, id="encoded twice, named"),
    pytest.param("street", "&lt;a&gt;|b", 2, id="another separator"),
    pytest.param("emails", '"a&amp;b;c"@x.ie;d@x.ie', 2, id="in quotes"),
    pytest.param("emails", "a&amp;b@x.ie, c@x.ie", 2, id="comma"),
    pytest.param("identifiers", "CRM:a&amp;b; SF:1", 2, id="identifiers"),
]


@pytest.mark.parametrize(("field", "cell", "items"), ENTITIES)
def test_semicolon_of_an_html_entity_is_no_separator(field: str, cell: str, items: int) -> None:
    """The cell is kept unchanged."""
    found = mapped((field,), cell)
    assert found.issues == ()
    assert len(found.fields[field].iloc[0]) == items
    if items == 1:
        assert found.fields[field].iloc[0] == (cell,)


NO_ENTITIES = [
    pytest.param("AT&T; Dublin", 2, id="letter"),
    pytest.param("Marks &Spencer; Dublin", 2, id="word"),
    pytest.param("R&D; x", 2, id="short"),
    pytest.param("a & b; c", 2, id="blank"),
    pytest.param("a &#; b", 2, id="no digits"),
    pytest.param("a &#xZZ; b", 2, id="no hexadecimal digits"),
    pytest.param("&amp", 1, id="not closed"),
    pytest.param("amp; b", 2, id="no ampersand"),
]


@pytest.mark.parametrize(("cell", "items"), NO_ENTITIES)
def test_other_ampersands_change_nothing(cell: str, items: int) -> None:
    """A semicolon after a word that is not an entity is a separator."""
    found = mapped(("street",), cell)
    assert len(found.fields["street"].iloc[0]) == items


def test_entities_are_kept_with_a_semicolon_as_the_only_separator() -> None:
    """With another separator they make no difference."""
    assert value("street", "a &amp; b;c|d", list_separator=";") == ("a &amp; b", "c|d")
    assert value("street", "a &amp; b; c", list_separator="; ") == ("a &amp; b", "c")
    assert value("street", "a &amp;/b", list_separator="/") == ("a &amp;", "b")


def test_list_separator_replaces_the_usual_ones() -> None:
    """With ``--list-separator`` a semicolon is text; a JSON array is still an array."""
    assert value("street", "a;b / c|d", list_separator="/") == ("a;b", "c|d")
    assert value("street", '["a/b"]', list_separator="/") == ("a/b",)
    assert value("identifiers", "A:1/B:2", list_separator="/") == (("A", "1"), ("B", "2"))


@pytest.mark.parametrize(
    "cell",
    ['["a"', "[a]", '["a",]', '["a"] x', "[NaN]", "[" * 100_000, "['a', 'b']", "[ 'a", "["],
    ids=["cut", "bare", "comma", "more", "NaN", "deep", "python", "python-cut", "alone"],
)
def test_malformed_array_is_an_issue_of_its_row(cell: str) -> None:
    """A cell that looks like an array but is malformed is never taken as text."""
    found = mapped(("street",), cell)
    assert [(issue.row, issue.code) for issue in found.issues] == [(7, "invalid.street")]
    assert [issue.message for issue in found.issues] == [
        "street: starts with [ but is not a JSON array; fix it, or remove the ["
    ]
    assert found.fields["street"].tolist() == [()]


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        pytest.param("[Unit 5] High St", ("[Unit 5] High St",), id="unit"),
        pytest.param("[Unit 5] High St; Dublin", ("[Unit 5] High St", "Dublin"), id="two-lines"),
        pytest.param("[c/o Ann, 5 High St", ("[c/o Ann, 5 High St",), id="not-closed"),
        pytest.param("{5} High St", ("{5} High St",), id="braces"),
    ],
)
def test_brackets_of_an_address_are_text(cell: str, items: tuple[str, ...]) -> None:
    """A cell is an array only when nothing else can be meant."""
    assert items == value("street", cell)


@pytest.mark.parametrize("cell", ["[null]", "[true]", '[["a"]]', '[{"a": "b"}]'])
def test_array_of_anything_but_texts_is_an_issue(cell: str) -> None:
    """Nothing in an array is dropped or converted silently."""
    assert value("emails", cell) == ['emails: a JSON array of texts is expected, as in ["a", "b"]']


def test_columns_of_a_list_are_joined_in_the_order_of_their_numbers() -> None:
    """The unnumbered column comes first; ten comes after two."""
    found = mapped(("email10", "email 2", "emails", "emails.0"), "d", "c;", "a|a2", "b")
    assert found.fields["emails"].tolist() == [("a", "a2", "b", "c", "d")]


@pytest.mark.parametrize(
    ("cell", "pairs"),
    [
        ("", ()),
        ("CRM:7", (("CRM", "7"),)),
        (" CRM : a:b ;\nSF:9", (("CRM", "a:b"), ("SF", "9"))),
        ('[{"provider": "CRM", "id": "7|;8"}]', (("CRM", "7|;8"),)),
        ('[{"id": 12345678901234567890, "provider": "CRM"}]', (("CRM", "12345678901234567890"),)),
        ('[{"provider": "", "id": ""}]', ()),
        ("[]", ()),
        ('{"provider": "CRM", "id": "7"}', (("CRM", "7"),)),
    ],
)
def test_identifiers_cell_holds_pairs(cell: str, pairs: object) -> None:
    """Pairs are split at their first colon, or come as JSON objects."""
    assert pairs == value("identifiers", cell)


@pytest.mark.parametrize(
    ("cell", "needle"),
    [
        ("CRM", "provider:id is expected"),
        ("CRM:1;7", "provider:id is expected"),
        (":7", "without its provider"),
        ("CRM:", "without its id"),
        ('["CRM:7"]', "objects as"),
        ('[{"provider": "CRM"}]', "objects as"),
        ('[{"provider": "CRM", "id": "7", "id": "8"}]', "objects as"),
        ('[{"provider": "CRM", "id": "7", "expiry": "x"}]', "objects as"),
        ('[[["provider", "CRM"], ["id", "7"]]]', "objects as"),
        ('[{"provider": "CRM", "id": null}]', "objects as"),
        ('[{"provider": "CRM", "id": ""}]', "without its id"),
        ('{"provider": "CRM"}', "objects as"),
        ('{"provider": "CRM", "id": "7"', "starts with {"),
        ('{"provider": "CRM", "id": "7"};ERP:8', "starts with {"),
        ("[CRM]:7", "starts with ["),
    ],
)
def test_half_an_identifier_is_an_issue(cell: str, needle: str) -> None:
    """Both provider and id are needed; neither is silently dropped."""
    (message,) = value("identifiers", cell)  # type: ignore[misc]
    assert needle in message


AMBIGUOUS = [
    "CRM:1, Loyalty:IE-2",
    "CRM:1,Loyalty:2",
    "CRM:1,2",
    "CRM:1,",
    "1,CRM:2",
    "CRM:1 Loyalty:2",
    "CRM:1 Loyalty Card:2",
    "CRM:1\tLoyalty:2",
    "CRM:1\u00a0Loyalty:2",
    "CRM:1/Loyalty:2",
    "CRM:1 / Loyalty:2",
    "CRM:1+Loyalty:2",
    "CRM:1&Loyalty:2",
    "CRM:1 and Loyalty:2",
    "SF:9; CRM:1, Loyalty:2",
    "https://x.example/1",
    "HTTP://x.example",
    "https://x.example:8080/1",
    "ftp://x.example/1",
    "custom://x",
    "file:/etc/passwd",
    "mailto:ann@example.com",
    "tel:+353861234567",
    "urn:uuid:2d7de9df-45a2-45ea-872c-30e45139007d",
    "C:\\Users\\x",
    "c:/Users/x",
    "12:30",
    "7:05:59",
    "2026-01-31T12:30",
    "2026-01-31 12:30:00",
]


@pytest.mark.parametrize("cell", AMBIGUOUS)
def test_pair_that_can_be_read_in_two_ways_is_an_issue(cell: str) -> None:
    """The message names the remedies: JSON, or a column for each provider."""
    (message,) = value("identifiers", cell)  # type: ignore[misc]
    assert "can be read in two ways" in message
    assert "JSON" in message
    assert "--identifier PROVIDER=COLUMN" in message
    provider, _, identifier = cell.partition(":")
    options = {"identifiers": {provider: ("nr",)}}
    found = mapped(("nr",), identifier, **options)
    assert found.fields["identifiers"].iloc[0] == ((provider, identifier.strip(" \t")),)


@pytest.mark.parametrize(
    ("cell", "pairs"),
    [
        ("CRM:a:b", (("CRM", "a:b"),)),
        ("auth0:google-oauth2:117", (("auth0", "google-oauth2:117"),)),
        ("Loyalty Card:IE 77", (("Loyalty Card", "IE 77"),)),
        ("CRM:https://x.example/1", (("CRM", "https://x.example/1"),)),
        ("CRM:a@x.ie", (("CRM", "a@x.ie"),)),
        ("A:1", (("A", "1"),)),
        ("7:1", (("7", "1"),)),
        ("7:100", (("7", "100"),)),
        ("CRM:12:30", (("CRM", "12:30"),)),
        ("CRM:1;SF:2|ERP:3", (("CRM", "1"), ("SF", "2"), ("ERP", "3"))),
    ],
)
def test_pair_that_can_be_read_in_one_way_is_accepted(cell: str, pairs: object) -> None:
    """The provider is a name without a colon; the id may have colons and blanks."""
    assert pairs == value("identifiers", cell)


def test_identifiers_of_all_forms_are_joined() -> None:
    """Cells, pair columns by number, then ``--identifier`` columns; blank ones are left out."""
    header = ("identifiers.2.id", "identifiers.2.provider", "identifiers.1.provider")
    header += ("identifiers.1.id", "identifiers", "crm", "erp")
    options = {"identifiers": {"CRM": ("crm",), "ERP": ("erp",)}}
    found = mapped(header, "2", "B", "A", "1", "X:9", " 5 ", " ", **options)
    expected = (("X", "9"), ("A", "1"), ("B", "2"), ("CRM", "5"))
    assert [expected] == found.fields["identifiers"].tolist()


def test_only_padding_is_trimmed_from_text_cells() -> None:
    """Exports pad cells with it; words like NA are text."""
    header = ("firstName", "lastName", "city", "passportNumber", "state")
    found = mapped(header, " \t NA\r\n", "\u00a0None\u200b", " a  b ", "007", "1e5")
    row = found.fields.iloc[0]
    assert [row[name] for name in header] == ["NA", "\u00a0None\u200b", "a  b", "007", "1e5"]
    assert found.fields.index.tolist() == [7]
