"""Options about values: null texts, translations and defaults."""

from collections.abc import Mapping

import pytest
from batches import NOW, ORDER, batch_of, validated

from importer.errors import InputError, UsageError
from importer.mapping import Mapper, check_tables
from importer.settings import MappingOptions, Rules
from importer.validation import Validator


def tables(
    translations: Mapping[str, Mapping[str, str]] | None = None,
    defaults: Mapping[str, str] | None = None,
    **options: object,
) -> MappingOptions:
    """Return options with tables of values: field to text to what it becomes."""
    values = {
        f"{field}:{text}": (becomes,)
        for field, table in (translations or {}).items()
        for text, becomes in table.items()
    }
    by_field = {field: (text,) for field, text in (defaults or {}).items()}
    return MappingOptions(values=values, defaults=by_field, **options)  # type: ignore[arg-type]


def value(field: str, cell: str, **options: object) -> object:
    """Return what one cell of ``field`` becomes."""
    mapper = Mapper.of(("orderRef", field), tables(**options))  # type: ignore[arg-type]
    mapped = mapper.apply(batch_of((ORDER, cell)).cells)
    assert mapped.issues == ()
    return mapped.fields[field].tolist()[0]


NULLS = [
    pytest.param("city", "-", "", id="text"),
    pytest.param("city", " - ", "", id="padded"),
    pytest.param("city", "NULL", "", id="another text"),
    pytest.param("city", "null", "null", id="another case"),
    pytest.param("city", "a-b", "a-b", id="part of a cell"),
    pytest.param("emails", "-", (), id="list"),
    pytest.param("emails", "-;a@x.ie", ("-", "a@x.ie"), id="item of a list"),
    pytest.param("identifiers", "NULL", (), id="identifiers"),
    pytest.param("orderRef", "-", "", id="order"),
]


@pytest.mark.parametrize(("field", "cell", "expected"), NULLS)
def test_cell_of_exactly_a_null_text_is_blank(field: str, cell: str, expected: object) -> None:
    """In any column; other cells are not."""
    if field == "orderRef":
        mapper = Mapper.of(("orderRef",), tables(null=("-",)))
        assert mapper.orders(batch_of((cell,)).cells) == {1: ""}
        return
    assert value(field, cell, null=("-", "NULL")) == expected


def test_null_text_is_blank_in_columns_of_identifiers() -> None:
    """In the columns of a pair, and in those of ``--identifier``."""
    options = tables(null=("-",), identifiers={"CRM": ("nr",)})
    header = ("orderRef", "identifiers.provider", "identifiers.id", "nr")
    mapped = Mapper.of(header, options).apply(batch_of((ORDER, "-", " - ", "-")).cells)
    assert mapped.fields["identifiers"].tolist() == [()]
    assert mapped.issues == ()


TRANSLATIONS = [
    pytest.param("gender", "M", "male", id="text"),
    pytest.param("gender", " m ", "male", id="padded, another case"),
    pytest.param("gender", "female", "female", id="no entry"),
    pytest.param("gender", "w", "female", id="another entry"),
    pytest.param("gender", "?", "", id="to blank"),
    pytest.param("gender", "male", "M", id="not twice"),
    pytest.param("city", "Straße", "Strasse", id="folded"),
    pytest.param("city", "STRASSE", "Strasse", id="folded, upper case"),
    pytest.param("emails", "none;A@x.ie;b@x.ie", ("b@x.ie",), id="items one by one"),
    pytest.param("emails", "c@x.ie", ("d@x.ie",), id="item"),
    pytest.param("street", "c@x.ie", ("c@x.ie",), id="another field"),
]


@pytest.mark.parametrize(("field", "cell", "expected"), TRANSLATIONS)
def test_value_is_translated_after_trimming_in_any_case(
    field: str, cell: str, expected: object
) -> None:
    """Items of a list are translated one by one; nothing is translated twice."""
    translations = {
        "gender": {"M": "male", "W": " female ", "?": "", "male": "M"},
        "City": {"strasse": "Strasse"},
        "email": {"none": "", "a@x.ie": "", "C@X.IE": "d@x.ie"},
    }
    assert value(field, cell, translations=translations) == expected


DEFAULTS = [
    pytest.param("country", "", "IE", id="blank"),
    pytest.param("country", " \t", "IE", id="padding"),
    pytest.param("country", "DE", "DE", id="filled"),
    pytest.param("country", "-", "IE", id="null"),
    pytest.param("country", "?", "IE", id="translated to blank"),
    pytest.param("street", " ; ", ("a", "b"), id="list"),
    pytest.param("street", "c", ("c",), id="filled list"),
]


@pytest.mark.parametrize(("field", "cell", "expected"), DEFAULTS)
def test_default_fills_blank_cells(field: str, cell: str, expected: object) -> None:
    """Including those that ``--null`` or ``--value`` made blank."""
    options = {
        "defaults": {"country": " IE ", "Street": "a; b"},
        "null": ("-",),
        "translations": {"country": {"?": ""}},
    }
    assert value(field, cell, **options) == expected


def test_default_needs_no_column() -> None:
    """This includes the order."""
    options = tables(defaults={"order_ref": ORDER, "phones": "+1;+2"})
    mapper = Mapper.of(("city",), options)
    assert mapper.fields == ("orderRef", "city", "phoneNumbers")
    assert mapper.columns == {"city": ("city",)}
    mapped = mapper.apply(batch_of(("a",), ("b",)).cells)
    assert mapped.fields["orderRef"].tolist() == [ORDER, ORDER]
    assert mapped.fields["phoneNumbers"].tolist() == [("+1", "+2"), ("+1", "+2")]
    assert mapper.orders(batch_of(("a",)).cells) == {1: ORDER}
    with pytest.raises(InputError, match="no column for the order"):
        Mapper.of(("city",), tables(defaults={"orderRef": " "}))


def test_default_does_not_hide_a_faulty_cell() -> None:
    """It fills blank cells only."""
    options = tables(defaults={"street": "x"})
    found = validated(("orderRef", "street"), (ORDER, '["a"'), options=options)
    assert [issue.code for issue in found.issues[1]] == ["invalid.street"]


def test_translated_values_and_defaults_pass_the_same_checks() -> None:
    """They are normalised like any other value."""
    options = tables(
        translations={"gender": {"M": "MALE"}, "title": {"Herr": "mr."}, "city": {"x": "a\tb"}},
        defaults={"country": "Ireland", "dateOfBirth": "1991-01-31"},
    )
    header = ("orderRef", "gender", "title", "city")
    found = validated(header, (ORDER, "m", "herr", ""), (ORDER, "", "", "X"), options=options)
    row = found.valid.loc[1]
    assert (row["gender"], row["title"], row["country"]) == ("male", "Mr", "IE")
    assert row["dateOfBirth"] == "1991-01-31T00:00:00Z"
    assert [issue.code for issue in found.issues[2]] == ["invalid.city"]


def problems_of(*, rules: Rules | None = None, **options: object) -> str:
    """Return what is wrong with tables of options, ``""`` for nothing."""
    validator = Validator(rules or Rules(), NOW)
    try:
        check_tables(
            tables(**options),  # type: ignore[arg-type]
            lambda mapped, batch: validator.validate(mapped, batch).issues,
        )
    except UsageError as error:
        return str(error)
    return ""


SOUND = [
    pytest.param({}, id="none"),
    pytest.param({"translations": {"gender": {"M": "male", "F": "FEMALE", "?": ""}}}, id="gender"),
    pytest.param(
        {"translations": {"country": {"Eire": "IE"}, "email": {"x": "a@x.ie"}}}, id="more"
    ),
    pytest.param({"translations": {"gender": {"m": "male", "M": "male"}}}, id="twice the same"),
    pytest.param(
        {"defaults": {"orderRef": ORDER, "country": "Ireland", "street": "a;b"}}, id="defaults"
    ),
    pytest.param({"defaults": {"referenceId": "W1"}}, id="number of the order"),
]


@pytest.mark.parametrize("options", SOUND)
def test_sound_tables_are_accepted(options: dict[str, object]) -> None:
    """Independently of required fields."""
    assert problems_of(**options) == ""
    assert problems_of(**options, rules=Rules(require=("firstName", "emails"))) == ""


def test_all_faults_of_the_tables_are_reported_together() -> None:
    """Unknown fields with the nearest name, and values that no row could have."""
    message = problems_of(
        translations={
            "gendr": {"M": "male"},
            "gender": {"M": "mail", "m": "male", " ": "male"},
            "emails": {"none": "nobody"},
            "emails.2": {"a": "b@x.ie"},
            "identifiers": {"a": "b"},
            "xyzzy": {"a": "b"},
        },
        defaults={
            "contry": "IE",
            "country": "Atlantis",
            "dateOfBirth": "2999-01-01",
            "orderRef": "7",
            "street": '["a"',
            "identifiers": "CRM:1",
            "city": "Dublin",
        },
    )
    for part in (
        '--value gendr: there is no field "gendr"; did you mean gender?',
        '--value gender: "m" is translated twice',
        "--value gender: a blank cannot be translated; use --default gender",
        '--value gender:…="mail": gender: not male, female, unknown',
        '--value emails:…="nobody": emails: ',
        "--value emails.2: name the field as a whole, emails",
        "--value identifiers: identifiers tell guests apart",
        '--value xyzzy: there is no field "xyzzy"; fields are ',
        '--default contry: there is no field "contry"; did you mean country?',
        "--default country: country: ",
        "--default dateOfBirth: dateOfBirth: not in the past",
        "--default orderRef: orderRef: not a UUID",
        "--default street: starts with [ but is not a JSON array",
        "--default identifiers: identifiers tell guests apart",
    ):
        assert part in message
    assert "city" not in message.replace("fields are ", "").split("xyzzy")[0]


def test_values_are_checked_by_the_rules_of_the_run() -> None:
    """A national phone number needs its region."""
    options = {"defaults": {"phoneNumbers": "020 910 0101"}}
    assert "--default phoneNumbers: " in problems_of(**options)
    assert problems_of(**options, rules=Rules(phone_region="IE")) == ""
