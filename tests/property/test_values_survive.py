"""Whatever stands in a cell, the body carries it, or the row is told why not."""

import json
import unicodedata

from batches import NOW, ORDER, batch_of, contacts_from
from hypothesis import given
from hypothesis import strategies as st

from importer.mapping import Mapping
from importer.settings import MappingOptions, Rules
from importer.validation import Validator
from schemas.canonical import canonical, canonical_field, same_contact
from schemas.fields import CONTACT_FIELDS, FIELDS, IDENTIFIERS
from schemas.text import BLANKS

PLAIN = ("firstName", "lastName", "city", "state", "postCode", "nationality", "passportNumber")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TELLING = st.text(';|,"[]{}:\\\n+019-TZ@.aé \u00a0\x00', max_size=24)
CELL = TEXT | TELLING | st.sampled_from([ORDER, "a@b.ie", "+353161123345", "1991-01-31", "IE"])
HEADER = (*FIELDS, "emails.1", "identifiers.provider", "identifiers.id")
VALIDATOR = Validator(Rules(phone_region="IE", date_format="%d/%m/%Y"), NOW)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.lists(st.tuples(*[TEXT] * len(PLAIN)), min_size=1, max_size=5))
def test_text_arrives_trimmed_and_otherwise_untouched(rows: list[tuple[str, ...]]) -> None:
    """Any text without control characters is in the body as it stands in the cell."""
    batch = batch_of(*((ORDER, "x", *row) for row in rows))
    mapped = Mapping.of(("orderRef", "street", *PLAIN), MappingOptions()).apply(batch.cells)
    found = VALIDATOR.validate(mapped, batch)
    bodies = {contact.row: contact.fields for contact in contacts_from(found)}
    for number, row in enumerate(rows, start=1):
        sent = {name: cell.strip(BLANKS) for name, cell in zip(PLAIN, row, strict=True)}
        if any(unicodedata.category(c) == "Cc" for text in sent.values() for c in text):
            assert number in found.issues
        else:
            body = {name: bodies[number][name] for name in PLAIN if name in bodies[number]}
            assert body == {name: text for name, text in sent.items() if text}


@given(st.lists(st.tuples(*[CELL] * len(HEADER)), max_size=4))
def test_any_cells_give_one_verdict_a_row(rows: list[tuple[str, ...]]) -> None:
    """No cell makes the program fail, and every row is valid or told why not, in one line."""
    batch = batch_of(*rows, width=len(HEADER))
    mapped = Mapping.of(HEADER, MappingOptions(identifiers={"X": ("city",)})).apply(batch.cells)
    found = VALIDATOR.validate(mapped, batch)
    numbers = [*found.valid.index, *found.issues]
    assert sorted(numbers) == list(range(1, len(rows) + 1))
    for contact in contacts_from(found):
        sent = json.loads(contact.body)
        assert set(sent) <= set(CONTACT_FIELDS)
        assert all(sent.values())
        # The short cut of canonical() for normal form, held to the careful way.
        _, fields = json.loads(canonical(contact.order_ref, sent))
        if IDENTIFIERS in fields:
            fields[IDENTIFIERS] = [json.dumps(pair) for pair in fields[IDENTIFIERS]]
        assert fields == {f: canonical_field(f, v) for f, v in sent.items()}
    for issues in found.issues.values():
        assert all(issue.message.isprintable() and len(issue.message) <= 200 for issue in issues)
        assert len(set(issues)) == len(issues)


@given(st.lists(TEXT, unique=True, max_size=5), st.randoms())
def test_canonical_form_knows_no_order_of_lists(items: list[str], random: object) -> None:
    """A list in another order is the same contact."""
    other = list(items)
    random.shuffle(other)  # type: ignore[attr-defined]
    for field in ("emails", "street", "phoneNumbers"):
        assert canonical(ORDER, {field: items}) == canonical(ORDER, {field: other})
        assert same_contact({field: items}, {field: other})


@given(st.dictionaries(st.sampled_from(CONTACT_FIELDS), JSON))
def test_anything_can_be_compared(found: dict[str, object]) -> None:
    """An answer of any shape is the same as itself, and no crash."""
    assert same_contact(found, found)
