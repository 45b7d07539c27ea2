"""Check the requests of the importer against the OpenAPI document."""

import json
from pathlib import Path

import pytest
from command import Workplace, order
from jsonschema_rs import Draft202012Validator
from servers.reference import ReferenceServer, Request

import schemas.openapi
from schemas.fields import CONTACT_FIELDS, ORDER_REF

SAMPLES = Path(__file__).parents[2] / "sample_data"
CREATE = "/v2.1/orders/{orderRef}/contacts"

# The example of the API reference as the cells of a record, and the body that it shows.
PAGE_RECORD = {
    ORDER_REF: order(1),
    "firstName": "John",
    "lastName": "Doe",
    "emails": "john.doe@gmail.com",
    "identifiers": "ProfileSystem:B7524AE6-CF1C-440F-B1A2-0C9D42F5CB41",
    "street": "Tara St.;Main Ave.",
    "city": "Dublin",
    "state": "10001",
    "title": "Mr",
    "gender": "male",
    "dateOfBirth": "1991-01-01T16:17:16Z",
    "phoneNumbers": "+353161123345;+353161123346",
    "nationality": "Irish",
    "passportNumber": "PZ4A9565",
    "country": "IE",
}
PAGE_BODY = {field: PAGE_RECORD[field] for field in CONTACT_FIELDS if field in PAGE_RECORD} | {
    "emails": ["john.doe@gmail.com"],
    "identifiers": [{"provider": "ProfileSystem", "id": "B7524AE6-CF1C-440F-B1A2-0C9D42F5CB41"}],
    "street": ["Tara St.", "Main Ave."],
    "phoneNumbers": ["+353161123345", "+353161123346"],
}


def sent(workplace: Workplace, source: Path) -> list[Request]:
    """Return the requests that the importer sends for a file."""
    with ReferenceServer() as server:
        workplace.send(source, server)
    return list(server.requests)


@pytest.mark.parametrize("sample", ["contacts.csv", "faulty.csv"])
def test_every_body_satisfies_the_document(tmp_path: Path, sample: str) -> None:
    """Every body, path and method is in the document."""
    validator = Draft202012Validator(schemas.openapi.schema("ContactFields"), validate_formats=True)
    requests = sent(Workplace(tmp_path), SAMPLES / sample)
    assert requests
    for request in requests:
        validator.validate(json.loads(request.body))
        assert request.path == CREATE.format(orderRef=request.order_ref)
    assert "post" in schemas.openapi.document()["paths"][CREATE]


def test_the_example_of_the_page_is_sent_as_the_page_shows_it(tmp_path: Path) -> None:
    """Every field, in its order."""
    workplace = Workplace(tmp_path)
    source = workplace.write([tuple(PAGE_RECORD), tuple(PAGE_RECORD.values())])
    (request,) = sent(workplace, source)
    assert list(json.loads(request.body).items()) == list(PAGE_BODY.items())
