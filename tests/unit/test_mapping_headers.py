"""Headers: which column is which field, and what is reported about the others."""

import pytest
from batches import ORDER, batch_of

from importer.errors import InputError, UsageError
from importer.mapping import Mapper
from importer.settings import MappingOptions, UnknownColumns


def fields_of(*header: str, **options: object) -> tuple[str, ...]:
    """Return the fields of a header."""
    return Mapper.of(header, MappingOptions(**options)).fields  # type: ignore[arg-type]


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
    mapper = Mapper.of(("orderRef", *names), MappingOptions())
    mapped = mapper.apply(batch_of((ORDER, " CRM ", " 7:a|b;c ")).cells)
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
    """All problems are reported before anything is sent."""
    with pytest.raises(InputError) as caught:
        Mapper.of(header, MappingOptions(), line=3)
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
        (
            {"columns": {"city": ("foo",)}},
            ['no column "foo"; the columns are "orderRef", "Vorname"'],
        ),
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
        "nothing near",
    ],
)
def test_option_with_an_unknown_name_suggests_the_nearest(
    options: dict[str, object], needles: list[str]
) -> None:
    """A mistyped option is a usage error, never a column that is silently left out."""
    header = ("orderRef", "Vorname", "Nachname", "crm_id2", "Ort", "ort")
    with pytest.raises(UsageError) as caught:
        Mapper.of(header, MappingOptions(**options))  # type: ignore[arg-type]
    assert all(needle in str(caught.value) for needle in needles)


def test_mapped_column_beats_the_one_that_matches_by_name() -> None:
    """--map is explicit; the column that it replaces is ignored with a warning."""
    options = MappingOptions(columns={"firstName": ("vor name",)})
    mapper = Mapper.of(("orderRef", "firstName", "Vor_Name"), options)
    mapped = mapper.apply(batch_of((ORDER, "no", "yes")).cells)
    assert mapped.fields["firstName"].tolist() == ["yes"]
    assert mapper.warning == (
        '1 column matches no field: "firstName" (--map names another for firstName); ignored'
    )
    assert mapper.ignored == ("firstName",)
    assert mapper.columns == {"orderRef": ("orderRef",), "firstName": ("Vor_Name",)}


def test_mapped_column_is_no_longer_matched_by_its_own_name() -> None:
    """A column belongs to one field only."""
    assert fields_of("orderRef", "city", columns={"lastName": ("city",)}) == (
        "orderRef",
        "lastName",
    )


def test_mapped_column_is_found_exactly_before_it_is_found_folded() -> None:
    """If two names differ only in case, the exact one is meant."""
    options = MappingOptions(columns={"city": ("ORT",)})
    mapper = Mapper.of(("orderRef", "ort", "ORT"), options)
    assert mapper.apply(batch_of((ORDER, "a", "b")).cells).fields["city"].tolist() == ["b"]


def test_list_field_can_be_mapped_by_number() -> None:
    """``--map email.2=COLUMN`` adds a column to those that match by name."""
    options = MappingOptions(columns={"emails.2": ("privat",), "identifiers.id": ("nr",)})
    mapper = Mapper.of(("orderRef", "privat", "email1", "identifiers.provider", "nr"), options)
    mapped = mapper.apply(batch_of((ORDER, "b", "a", "CRM", "7")).cells)
    assert mapped.fields["emails"].tolist() == [("a", "b")]
    assert mapped.fields["identifiers"].tolist() == [(("CRM", "7"),)]


def test_a_list_field_takes_as_many_columns_as_are_named() -> None:
    """So does a provider; only a single-valued field would contradict itself."""
    options = MappingOptions(
        columns={"street": ("line", "flat"), "email": ("Work",), "emails": ("Home",)},
        identifiers={"CRM": ("old no", "new no")},
    )
    header = ("orderRef", "flat", "line", "Home", "Work", "old no", "new no")
    mapper = Mapper.of(header, options)
    mapped = mapper.apply(batch_of((ORDER, "f", "l", "h@b.ie", "w@b.ie", "1", "2")).cells)
    assert mapped.fields["street"].tolist() == [("f", "l")]
    assert mapped.fields["emails"].tolist() == [("h@b.ie", "w@b.ie")]
    assert mapped.fields["identifiers"].tolist() == [(("CRM", "1"), ("CRM", "2"))]
    assert mapper.warning == ""


def warning_of(*names: str, **options: object) -> str:
    """Return the warning about a header with the order and these columns."""
    return Mapper.of(("orderRef", *names), MappingOptions(**options)).warning  # type: ignore[arg-type]


def test_all_columns_that_match_nothing_are_one_warning() -> None:
    """By name, or by position without one; importError and importLine belong to --rejects."""
    header = ("orderRef", "xyzzy", "", "importError", "Import_Line", "city 2", "Surname", "city")
    mapper = Mapper.of(header, MappingOptions())
    assert mapper.warning == (
        '4 columns match no field: "xyzzy", column 3 without a name, "city 2" (city),'
        ' "Surname" (did you mean lastName? Use --map lastName="Surname"); ignored'
    )
    assert mapper.ignored == ("xyzzy", "", "city 2", "Surname")


def test_hundreds_of_columns_that_match_nothing_are_one_warning() -> None:
    """A very long one is cut; all names are in `ignored`."""
    names = tuple(f"custom field number {number}" for number in range(298))
    mapper = Mapper.of(("orderRef", *names), MappingOptions())
    assert mapper.warning.startswith('298 columns match no field: "custom field number 0", ')
    assert mapper.warning.endswith(" more; ignored")
    assert len(mapper.warning) < 5000
    assert mapper.ignored == names


MISTAKES = {
    "emial": "emails",
    "e-mial": "emails",
    "emal": "emails",
    "email address": "",
    "emaill": "emails",
    "e-mail:": "emails",
    "email*": "emails",
    "\u200bemail": "emails",
    "frist_name": "firstName",
    "First Nam": "firstName",
    "firstnames": "firstName",
    "first name (required)": "",
    "LastNmae": "lastName",
    "citty": "city",
    "cty": "city",
    "Titel": "title",
    "gendre": "gender",
    "genders": "gender",
    "streets": "street",
    "contry": "country",
    "post cod": "postCode",
    "phome": "phoneNumbers",
    "phonenumer": "phoneNumbers",
    "identifer": "identifiers",
    "date of brith": "dateOfBirth",
    "natoinality": "nationality",
    "passport-numbr": "passportNumber",
    "referenceid2": "referenceId",
    "orderd at": "orderedAt",
    "city 2": "city",
    "title1": "title",
    # Other words, and names that are less similar
    "county": "",
    "stage": "",
    "status": "",
    "sender": "",
    "iPhone": "",
    "estate": "",
    "National ID": "",
    "Date of death": "",
    "E-mail 1 - Type": "",
    "Address 1 - City": "",
    "firm name": "",
    "phone id": "",
    "note": "",
    "x": "",
}


@pytest.mark.parametrize(("name", "field"), MISTAKES.items(), ids=MISTAKES)
def test_name_similar_to_a_field_stops_the_run(name: str, field: str) -> None:
    """Otherwise a renamed column would silently cost every row a field."""
    if not field:
        warning_of(name)
        return
    order = () if field in {"orderRef", "referenceId"} else ("orderRef",)
    with pytest.raises(InputError) as caught:
        Mapper.of((*order, name, "note"), MappingOptions(), line=2)
    assert f"matches no field, but nearly {field}: use --map {field}=" in str(caught.value)
    assert "--ignore" in str(caught.value)
    for options in (
        {"ignore": (name,)},
        {"columns": {field: (name,)}},
        {"columns": {field: (name,)}, "unknown_columns": UnknownColumns.ERROR, "ignore": ("note",)},
    ):
        Mapper.of(("orderRef", name, "note"), MappingOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("unknown_columns", [UnknownColumns.WARN, UnknownColumns.IGNORE])
def test_mistaken_name_stops_the_run_whatever_is_done_about_unknown_columns(
    unknown_columns: UnknownColumns,
) -> None:
    """Only ``--map`` and ``--ignore`` resolve it; ``--carry`` does not."""
    with pytest.raises(InputError, match="nearly emails"):
        warning_of("emial", unknown_columns=unknown_columns, carry=("emial",))


def test_numbered_column_of_a_single_value_is_no_mistake_beside_the_value_itself() -> None:
    """As in address lists, where city 2 belongs to another address."""
    assert '"city 2"' in warning_of("city", "city 2")


def test_unknown_columns_can_be_errors_or_ignored_silently() -> None:
    """With ``error``, each must be mapped or listed."""
    with pytest.raises(InputError, match='2 columns match no field: "a", "b"; use --map'):
        warning_of("a", "b", "c", unknown_columns=UnknownColumns.ERROR, ignore=("c",))
    assert warning_of("a", unknown_columns=UnknownColumns.ERROR, ignore=("A",)) == ""
    assert warning_of("a", unknown_columns=UnknownColumns.IGNORE) == ""
    assert warning_of("a", "b", ignore=("b", "of another file")) == (
        '1 column matches no field: "a"; ignored'
    )
    assert warning_of("note", carry=("note",), unknown_columns=UnknownColumns.ERROR) == ""


def test_ignored_column_is_not_used_even_if_it_matches_a_field() -> None:
    """If an option uses it, the two contradict each other."""
    assert fields_of("orderRef", "city", "email", "Email", ignore=("email",)) == (
        "orderRef",
        "emails",
        "city",
    )
    with pytest.raises(UsageError, match='--ignore "city": another option uses this column'):
        fields_of("orderRef", "city", ignore=("city",), columns={"city": ("city",)})


REPEATED = [
    pytest.param(("note", "note"), {}, "", id="not used"),
    pytest.param(("", "", " "), {}, "", id="without a name"),
    pytest.param(("city", "note", "city "), {}, "columns 2 and 4", id="one value"),
    pytest.param(("email", "email", "email"), {}, "columns 2, 3 and 4", id="list"),
    pytest.param(("email", "E-Mail"), {}, "", id="list, written differently"),
    pytest.param(("city", "city"), {"ignore": ("city",)}, "", id="ignored"),
    pytest.param(("ort", "ort"), {"columns": {"city": ("ort",)}}, "columns 2 and 3", id="mapped"),
    pytest.param(("nr", "nr"), {"identifiers": {"C": ("nr",)}}, "columns 2 and 3", id="provider"),
    pytest.param(("note", "note"), {"carry": ("note",)}, "columns 2 and 3", id="carried"),
]


@pytest.mark.parametrize(("names", "options", "message"), REPEATED)
def test_repeated_name_is_an_error_only_when_it_is_used(
    names: tuple[str, ...], options: dict[str, object], message: str
) -> None:
    """Otherwise it is one of the columns that match nothing."""
    if not message:
        warning_of(*names, **options)
        return
    with pytest.raises(InputError, match=rf"is the name of {message}; rename or remove"):
        warning_of(*names, **options)


HINTS = {
    "Surname": "lastName",
    "Email Address": "emails",
    "Work e-mail (primary)": "emails",
    "E-mail 1 - Value": "emails",
    "Mobile Phone": "phoneNumbers",
    "Phone 1 - Value": "phoneNumbers",
    "postal code": "postCode",
    "ZIP/Postal Code": "postCode",
    "MailingPostalCode": "postCode",
    "Address 1 - Postal Code": "postCode",
    "Address 1 - City": "city",
    "Billing City": "city",
    "DOB": "dateOfBirth",
    "Birthdate": "dateOfBirth",
    "Billing Address 1": "street",
    "State/Province": "state",
    "Passport No.": "passportNumber",
    "order id": "referenceId",
    "Order Date": "orderedAt",
    # The last words decide, and preceding words may change the meaning
    "E-mail 1 - Type": "",
    "Email status": "",
    "Email opt-out": "",
    "Phone 1 - Label": "",
    "Address 1 - Formatted": "",
    "Address 1 - Region": "",
    "IP Address": "",
    "Job Title": "",
    "Organization 1 - Title": "",
    "Company Country": "",
    "Mother's last name": "",
    "Order status": "",
    "Payment state": "",
    "City of birth": "",
    "Country Code": "",
    "Name": "",
}


@pytest.mark.parametrize(("name", "field"), HINTS.items(), ids=HINTS)
def test_hint_names_a_field_only_if_it_is_probably_meant(name: str, field: str) -> None:
    """The column is never used for it: only the user can decide."""
    hint = f' (did you mean {field}? Use --map {field}="{name}")' if field else ""
    assert warning_of(name) == f'1 column matches no field: "{name}"{hint}; ignored'


def test_no_field_is_suggested_that_has_a_column_already() -> None:
    """The column would be its second one."""
    assert warning_of("postCode", "zip") == '1 column matches no field: "zip"; ignored'


def test_fields_and_their_columns_are_listed() -> None:
    """The summary and the report show them, including the columns of identifiers."""
    options = MappingOptions(columns={"city": ("ort",)}, identifiers={"CRM": ("nr",)})
    header = ("nr", "Order Ref", "email 2", "email", "ort", "identifiers.id", "Identifier Provider")
    assert Mapper.of(header, options).columns == {
        "orderRef": ("Order Ref",),
        "emails": ("email 2", "email"),
        "identifiers": ("nr", "identifiers.id", "Identifier Provider"),
        "city": ("ort",),
    }


def test_carried_and_identifier_columns_are_not_ignored() -> None:
    """A column that is used needs no warning, and is still matched to its field."""
    options = MappingOptions(
        carry=("note", "city"), identifiers={"MAIL": ("email",), "CRM": ("nr",)}
    )
    mapper = Mapper.of(("orderRef", "email", "nr", "note", "City"), options)
    assert mapper.warning == ""
    assert mapper.carry == (3, 4)
    mapped = mapper.apply(batch_of((ORDER, "a@b.ie", " ", "", "")).cells)
    assert mapped.fields["emails"].tolist() == [("a@b.ie",)]
    assert mapped.fields["identifiers"].tolist() == [(("MAIL", "a@b.ie"),)]


@pytest.mark.parametrize(
    "name",
    ["x" * 100_000, "1" * 10_000, "email" + "9" * 20, "\x00\n", "[]"],
    ids=["long", "digits", "large number", "control characters", "brackets"],
)
def test_unusual_header_names_are_one_short_warning(name: str) -> None:
    """Whatever their length and characters."""
    warning = warning_of(name)
    assert 0 < len(warning) < 200
    assert warning.isprintable()
