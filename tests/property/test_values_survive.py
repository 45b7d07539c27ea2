"""The value of any cell is in the body, or an issue explains why not."""

import json
import unicodedata

from batches import NOW, ORDER, batch_of, contacts_from
from hypothesis import given
from hypothesis import strategies as st

from importer.mapping import Mapper
from importer.settings import MappingOptions, Rules
from importer.validation import Validator
from schemas.canonical import canonical, canonical_field, same_contact
from schemas.fields import CONTACT_FIELDS, FIELDS, FREE_TEXT_FIELDS, IDENTIFIERS
from schemas.text import Fault, parse_code, parse_text, trim

PLAIN = (*(name for name in FREE_TEXT_FIELDS if name != "street"), "passportNumber")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TELLING = st.text(";|,\"[]{}:\\\n+019-TZ@.aé \u00a0\x00#'!\ufffd\u200b&=", max_size=24)
CELL = TEXT | TELLING | st.sampled_from([ORDER, "a@b.ie", "+353161123345", "1991-01-31", "IE"])
HEADER = (*FIELDS, "emails.1", "identifiers.provider", "identifiers.id")
VALIDATOR = Validator(Rules(phone_region="IE", date_format=("iso", "%d/%m/%Y")), NOW)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.lists(st.tuples(*[TEXT] * len(PLAIN)), min_size=1, max_size=5))
def test_text_arrives_trimmed_and_otherwise_untouched(rows: list[tuple[str, ...]]) -> None:
    """Any text that the rule accepts is in the body as it is in the cell."""
    batch = batch_of(*((ORDER, "x", *row) for row in rows))
    mapped = Mapper.of(("orderRef", "street", *PLAIN), MappingOptions()).apply(batch.cells)
    found = VALIDATOR.validate(mapped, batch)
    bodies = {contact.row: contact.fields for contact in contacts_from(found)}
    for number, row in enumerate(rows, start=1):
        sent = {name: trim(cell) for name, cell in zip(PLAIN, row, strict=True)}
        parsed = [
            parse_code(text) if name in {"postCode", "passportNumber"} else parse_text(text)
            for name, text in sent.items()
        ]
        if Fault in map(type, parsed):
            assert number in found.issues
        else:
            body = {name: bodies[number][name] for name in PLAIN if name in bodies[number]}
            assert body == {name: text for name, text in sent.items() if text}
            assert not any(unicodedata.category(c) == "Cc" for text in sent.values() for c in text)


@given(st.lists(st.tuples(*[CELL] * len(HEADER)), max_size=4))
def test_any_cells_give_one_result_a_row(rows: list[tuple[str, ...]]) -> None:
    """No cell makes the program fail, and every row is valid or has issues of one line."""
    batch = batch_of(*rows, width=len(HEADER))
    mapped = Mapper.of(HEADER, MappingOptions(identifiers={"X": ("city",)})).apply(batch.cells)
    found = VALIDATOR.validate(mapped, batch)
    numbers = [*found.valid.index, *found.issues]
    assert sorted(numbers) == list(range(1, len(rows) + 1))
    for contact in contacts_from(found):
        sent = json.loads(contact.body)
        assert set(sent) <= set(CONTACT_FIELDS)
        assert all(sent.values())
        # The fast path of canonical() for normal form, compared with the careful one.
        _, fields = json.loads(canonical(contact.order_ref, sent))
        if IDENTIFIERS in fields:
            fields[IDENTIFIERS] = [json.dumps(pair) for pair in fields[IDENTIFIERS]]
        careful = {field: canonical_field(field, value) for field, value in sent.items()}
        assert fields == {field: value for field, value in careful.items() if value}
    for issues in found.issues.values():
        assert all(issue.message.isprintable() and len(issue.message) <= 200 for issue in issues)
        assert len(set(issues)) == len(issues)


@given(st.lists(TEXT, unique=True, max_size=5), st.randoms())
def test_canonical_form_does_not_depend_on_the_order_of_lists(
    items: list[str], random: object
) -> None:
    """A list in another order is an equal contact."""
    other = list(items)
    random.shuffle(other)  # type: ignore[attr-defined]
    for field in ("emails", "street", "phoneNumbers"):
        assert canonical(ORDER, {field: items}) == canonical(ORDER, {field: other})
        assert same_contact({field: items}, {field: other})


@given(st.dictionaries(st.sampled_from(CONTACT_FIELDS), JSON))
def test_anything_can_be_compared(found: dict[str, object]) -> None:
    """A response of any shape equals itself."""
    assert same_contact(found, found)
