"""Check the OpenAPI document against the reference, the field list and its own rules."""

import re
from datetime import date

import pytest
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import validate

import schemas.openapi
from importer.sandbox.document import pattern_before, served_document
from schemas.fields import CONTACT_FIELDS, GENDERS, TITLES

# The example in the reference, verbatim.
REFERENCE_EXAMPLE = {
    "firstName": "John",
    "lastName": "Doe",
    "emails": ["john.doe@gmail.com"],
    "identifiers": [{"provider": "ProfileSystem", "id": "B7524AE6-CF1C-440F-B1A2-0C9D42F5CB41"}],
    "street": ["Tara St.", "Main Ave."],
    "city": "Dublin",
    "state": "10001",
    "title": "Mr",
    "gender": "male",
    "dateOfBirth": "1991-01-01T16:17:16Z",
    "phoneNumbers": ["+353161123345", "+353161123346"],
    "nationality": "Irish",
    "passportNumber": "PZ4A9565",
    "country": "IE",
}


def validator(name: str) -> Draft202012Validator:
    """Return a validator for one schema of the document."""
    return Draft202012Validator(schemas.openapi.schema(name), validate_formats=True)


def test_the_document_is_valid() -> None:
    """The document is OpenAPI 3.1, on its own and as the sandbox serves it."""
    validate(schemas.openapi.document())


def test_the_example_of_the_reference_is_valid() -> None:
    """The body that the vendor's reference shows satisfies the document."""
    validator("ContactFields").validate(REFERENCE_EXAMPLE)


def test_every_example_satisfies_its_schema() -> None:
    """The document contains no example that it would refuse."""
    components = schemas.openapi.document()["components"]
    for name, schema in components["schemas"].items():
        for example in schema.get("examples", []):
            validator(name).validate(example)
    for response in components["responses"].values():
        example = response["content"]["application/json"]["examples"]["error"]["value"]
        validator("Error").validate(example)
    paths = schemas.openapi.document()["paths"]
    for call in (
        paths["/v2.1/orders/{orderRef}/contacts"]["post"],
        paths["/v2.1/orderContacts/{contactRef}"]["patch"],
    ):
        for example in call["requestBody"]["content"]["application/json"]["examples"].values():
            validator("ContactFields").validate(example["value"])


def test_the_fields_are_those_of_the_field_list() -> None:
    """The document and the field list have the same fields in the same order."""
    properties = schemas.openapi.document()["components"]["schemas"]["ContactFields"]["properties"]
    assert tuple(properties) == CONTACT_FIELDS
    assert tuple(properties["gender"]["enum"]) == GENDERS
    listed = re.findall(r"\b[A-Z]\w+", properties["title"]["description"])
    assert tuple(listed[1:]) == TITLES


def test_an_answer_holds_every_field() -> None:
    """A contact in an answer has every field that can be sent, besides its refs and links."""
    schemas_ = schemas.openapi.document()["components"]["schemas"]
    own = {"ref", "href", "createdAt", "modifiedAt", "order", "guest"}
    assert set(schemas_["Contact"]["properties"]) == own | set(CONTACT_FIELDS)


def test_an_unknown_schema_is_an_error() -> None:
    """Requesting a schema that the document does not have fails immediately."""
    with pytest.raises(KeyError):
        schemas.openapi.schema("Contakt")


@pytest.mark.parametrize("day", [date(2026, 11, 23), date(2000, 1, 1), date(2030, 12, 31)])
def test_pattern_matches_exactly_the_days_before(day: date) -> None:
    """The pattern matches exactly the days before its own."""
    pattern = re.compile(pattern_before(day))
    samples = [date.fromordinal(day.toordinal() + step) for step in range(-800, 801)]
    samples += [date(1, 1, 1), date(999, 12, 31), date(1999, 12, 31), date(9999, 12, 31)]
    for sample in samples:
        assert bool(pattern.match(sample.isoformat())) is (sample < day), sample


def test_served_document_names_only_the_sandbox() -> None:
    """The served document does not lead to production."""
    served = served_document("http://127.0.0.1:1", date(2026, 1, 1)).decode()
    assert '"servers": [{"url": "http://127.0.0.1:1"' in served
