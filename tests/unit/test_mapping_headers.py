"""Headers: which column is which field, and what the user hears about the others."""

import pytest
from batches import ORDER, batch_of

from importer.errors import InputError, UsageError
from importer.mapping import Mapping
from importer.settings import MappingOptions


def fields_of(*header: str, **options: object) -> tuple[str, ...]:
    """Give the fields of a header."""
    return Mapping.of(header, MappingOptions(**options)).fields  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("firstName", "firstName"),
        ("First Name", "firstName"),
        ("first_name", "firstName"),
        (" FIRST-NAME ", "firstName"),
        ("first.name", "firstName"),
        ("post code", "postCode"),
        ("email", "emails"),
        ("E-Mail", "emails"),
        ("E-Mails", "emails"),
        ("phone", "phoneNumbers"),
        ("Phone Number", "phoneNumbers"),
        ("phone_numbers", "phoneNumbers"),
        ("identifier", "identifiers"),
        ("date of birth", "dateOfBirth"),
        ("email1", "emails"),
        ("email 2", "emails"),
        ("emails.0", "emails"),
        ("emails[0]", "emails"),
        ("street_2", "street"),
        ("Phone-3", "phoneNumbers"),
    ],
)
def test_header_matches_its_field_however_it_is_written(name: str, field: str) -> None:
    """Case, blanks, underscores, hyphens, dots, brackets and the singular do not matter."""
    assert ("orderRef", field) == fields_of("orderRef", name)


@pytest.mark.parametrize("name", ["orderReference", "ORDER REF", "order_reference"])
def test_order_matches_by_both_its_names(name: str) -> None:
    """The order's column may be called orderReference too."""
    assert fields_of(name) == ("orderRef",)


@pytest.mark.parametrize(
    "names",
    [
        ("identifiers.provider", "identifiers.id"),
        ("identifiers.0.provider", "identifiers.0.id"),
        ("identifiers[0].provider", "identifiers[0].id"),
        ("identifier1Provider", "identifier1Id"),
        ("identifiers_1_provider", "identifiers_1_id"),
        ("Identifier Provider 2", "Identifier ID 2"),
    ],
)
def test_identifier_pairs_match_in_all_natural_forms(names: tuple[str, str]) -> None:
    """A provider column and an id column of the same number make one pair."""
    mapping = Mapping.of(("orderRef", *names), MappingOptions())
    mapped = mapping.apply(batch_of((ORDER, " CRM ", " 7:a|b;c ")).cells)
    assert mapped.fields["identifiers"].tolist() == [(("CRM", "7:a|b;c"),)]


@pytest.mark.parametrize(
    ("header", "needles"),
    [
        (("orderRef", "First Name", "first_name"), ["line 3: ", '"First Name", "first_name"']),
        (("firstName",), ["no column for the order", "--map orderRef=COLUMN", '"firstName"']),
        (("order^name",), ["no column for the order", '"order^name"', "--delimiter"]),
        ((), ["no column for the order"]),
        (("orderRef", "identifiers.provider"), ["without a column identifiers.id"]),
        (("orderRef", "identifier2id"), ["without a column identifiers.2.provider"]),
        (
            ("orderRef", "identifiers.1.id", "identifiers.2.provider"),
            ["identifiers.1.provider", "identifiers.2.id"],
        ),
        (
            ("city", "City", "gender", "GENDER"),
            ["for city", "for gender", "no column for the order"],
        ),
    ],
    ids=[
        "double",
        "no order",
        "one column",
        "empty",
        "no id",
        "no provider",
        "numbers differ",
        "all at once",
    ],
)
def test_contradictory_header_is_one_error_with_all_problems(
    header: tuple[str, ...], needles: list[str]
) -> None:
    """Nothing can be sent from such a file, so every problem is told before anything is."""
    with pytest.raises(InputError) as caught:
        Mapping.of(header, MappingOptions(), line=3)
    assert all(needle in str(caught.value) for needle in needles)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "needles"),
    [
        ({"columns": {"firstNam": ("Vorname",)}}, ["--map firstNam", "did you mean firstName?"]),
        ({"columns": {"firstName": ("Vornam",)}}, ['"Vornam"', 'did you mean "Vorname"?']),
        ({"identifiers": {"CRM": ("crmid",)}}, ["--identifier CRM", 'did you mean "crm_id2"?']),
        ({"carry": ("Bemerkung",)}, ["--carry", '"Bemerkung"']),
        ({"columns": {"city": ("Vorname", "Nachname")}}, ["city is mapped twice"]),
        ({"columns": {"city": ("Ort",), "City": ("Nachname",)}}, ["city is mapped twice"]),
        ({"columns": {"a": ("x",)}, "carry": ("y",)}, ['no field "a"', '"y"']),
        ({"columns": {"city": ("ORT",)}}, ['may be "Ort", "ort"']),
    ],
    ids=[
        "field",
        "column",
        "identifier",
        "carry",
        "twice",
        "twice, spelt otherwise",
        "all at once",
        "ambiguous",
    ],
)
def test_option_that_names_what_is_not_there_names_the_nearest(
    options: dict[str, object], needles: list[str]
) -> None:
    """A mistyped option is a usage error, never a column that is silently left out."""
    header = ("orderRef", "Vorname", "Nachname", "crm_id2", "Ort", "ort")
    with pytest.raises(UsageError) as caught:
        Mapping.of(header, MappingOptions(**options))  # type: ignore[arg-type]
    assert all(needle in str(caught.value) for needle in needles)


def test_mapped_column_beats_the_one_that_matches_by_name() -> None:
    """--map is the user's word; the column it displaces is ignored with a warning."""
    options = MappingOptions(columns={"firstName": ("vor name",)})
    mapping = Mapping.of(("orderRef", "firstName", "Vor_Name"), options)
    mapped = mapping.apply(batch_of((ORDER, "no", "yes")).cells)
    assert mapped.fields["firstName"].tolist() == ["yes"]
    assert mapping.warnings == ('column "firstName" is ignored: --map names another for firstName',)


def test_mapped_column_is_no_longer_matched_by_its_own_name() -> None:
    """A column goes to one field alone."""
    assert fields_of("orderRef", "city", columns={"lastName": ("city",)}) == (
        "orderRef",
        "lastName",
    )


def test_mapped_column_is_found_exactly_before_it_is_found_folded() -> None:
    """Where two names differ in case alone, the exact one is meant."""
    options = MappingOptions(columns={"city": ("ORT",)})
    mapping = Mapping.of(("orderRef", "ort", "ORT"), options)
    assert mapping.apply(batch_of((ORDER, "a", "b")).cells).fields["city"].tolist() == ["b"]


def test_list_field_can_be_mapped_by_number() -> None:
    """--map email.2=COLUMN adds a column to those that match by name."""
    options = MappingOptions(columns={"emails.2": ("privat",), "identifiers.id": ("nr",)})
    mapping = Mapping.of(("orderRef", "privat", "email1", "identifiers.provider", "nr"), options)
    mapped = mapping.apply(batch_of((ORDER, "b", "a", "CRM", "7")).cells)
    assert mapped.fields["emails"].tolist() == [("a", "b")]
    assert mapped.fields["identifiers"].tolist() == [(("CRM", "7"),)]


def test_a_list_field_takes_as_many_columns_as_are_named() -> None:
    """So does a provider; only a single-valued field would contradict itself."""
    options = MappingOptions(
        columns={"street": ("line", "flat"), "email": ("Work",), "emails": ("Home",)},
        identifiers={"CRM": ("old no", "new no")},
    )
    header = ("orderRef", "flat", "line", "Home", "Work", "old no", "new no")
    mapping = Mapping.of(header, options)
    mapped = mapping.apply(batch_of((ORDER, "f", "l", "h@b.ie", "w@b.ie", "1", "2")).cells)
    assert mapped.fields["street"].tolist() == [("f", "l")]
    assert mapped.fields["emails"].tolist() == [("h@b.ie", "w@b.ie")]
    assert mapped.fields["identifiers"].tolist() == [(("CRM", "1"), ("CRM", "2"))]
    assert mapping.warnings == ()


def test_ignored_columns_are_told_with_the_nearest_field() -> None:
    """What is not imported is said, by name or by position; the last two belong to --rejects."""
    header = ("orderRef", "firstNam", "xyzzy", "", "city 2", "importError", "importLine")
    warnings = Mapping.of(header, MappingOptions()).warnings
    ignored = "is ignored: there is no such field"
    assert warnings == (
        f'column "firstNam" {ignored}; did you mean firstName? Say --map firstName="firstNam"',
        f'column "xyzzy" {ignored}',
        "column 4 has no name and is ignored",
        f'column "city 2" {ignored}; did you mean city? Say --map city="city 2"',
    )


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("frist_name", "firstName"),
        ("Surname", "lastName"),
        ("Email Address", "emails"),
        ("Work e-mail (primary)", "emails"),
        ("Mobile Phone", "phoneNumbers"),
        ("postal code", "postCode"),
        ("ZIP/Postal Code", "postCode"),
        ("MailingPostalCode", "postCode"),
        ("DOB", "dateOfBirth"),
        ("Birthdate", "dateOfBirth"),
        ("Billing Address 1", "street"),
        ("State/Province", "state"),
        ("Passport No.", "passportNumber"),
        ("order id", "referenceId"),
    ],
)
def test_the_field_that_another_program_means_is_hinted_at(name: str, field: str) -> None:
    """It is never taken for it: only the user can know."""
    (warning,) = Mapping.of(("orderRef", name), MappingOptions()).warnings
    assert warning.endswith(f'did you mean {field}? Say --map {field}="{name}"')


def test_carried_and_identifier_columns_are_not_ignored() -> None:
    """A column with a use of its own needs no warning, and keeps its own field."""
    options = MappingOptions(
        carry=("note", "city"), identifiers={"MAIL": ("email",), "CRM": ("nr",)}
    )
    mapping = Mapping.of(("orderRef", "email", "nr", "note", "City"), options)
    assert mapping.warnings == ()
    assert mapping.carry == (3, 4)
    mapped = mapping.apply(batch_of((ORDER, "a@b.ie", " ", "", "")).cells)
    assert mapped.fields["emails"].tolist() == [("a@b.ie",)]
    assert mapped.fields["identifiers"].tolist() == [(("MAIL", "a@b.ie"),)]


@pytest.mark.parametrize("name", ["x" * 100_000, "1" * 10_000, "email" + "9" * 20, "\x00\n", "[]"])
def test_strange_header_names_are_ignored_in_one_short_line(name: str) -> None:
    """A header cell of any size or kind is a short warning."""
    (warning,) = Mapping.of(("orderRef", name), MappingOptions()).warnings
    assert len(warning) < 200
    assert warning.isprintable()
