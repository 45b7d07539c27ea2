"""Refs in answers of the API."""

import pytest

from importer.records import ContactRefs

REF = "2d7de9df-45a2-45ea-872c-30e45139007d"
GUEST = "9B1DEB4D3B7D4BAD9BDD2B0D7B3DCB6D"
HREF = f"https://api.example/v2.1/orderContacts/{REF}"


@pytest.mark.parametrize(
    ("contact", "refs"),
    [
        pytest.param(
            {"ref": REF, "href": HREF, "guest": {"href": f"https://x/v2.1/guests/{GUEST}"}},
            ContactRefs(REF, HREF, GUEST),
            id="all",
        ),
        pytest.param({"guest": {"href": f"/x/{GUEST}/"}}, ContactRefs(guest_ref=GUEST), id="slash"),
        pytest.param({"guest": {"href": GUEST}}, ContactRefs(guest_ref=GUEST), id="bare"),
        pytest.param({"ref": REF.upper()}, ContactRefs(REF.upper()), id="upper-case"),
        pytest.param({}, ContactRefs(), id="none"),
        pytest.param({"ref": None, "href": 7, "guest": "x"}, ContactRefs(), id="other-types"),
        pytest.param({"guest": {"href": None}}, ContactRefs(), id="guest-without-href"),
        pytest.param({"ref": f"{REF}\n"}, ContactRefs(), id="line-break"),
        pytest.param({"ref": f" {REF}"}, ContactRefs(), id="blank"),
        pytest.param({"ref": f"{{{REF}}}"}, ContactRefs(), id="braces"),
        pytest.param({"ref": f"urn:uuid:{REF}"}, ContactRefs(), id="urn"),
        pytest.param({"ref": REF[:-1]}, ContactRefs(), id="short"),
        pytest.param({"ref": "../orders"}, ContactRefs(), id="path"),
        pytest.param({"ref": "４" + REF[1:]}, ContactRefs(), id="full-width-digit"),
        pytest.param({"guest": {"href": f"/guests/{GUEST}?x=1"}}, ContactRefs(), id="query"),
        pytest.param({"href": "https://x/é"}, ContactRefs(), id="href-not-ascii"),
        pytest.param({"href": "x" * 2001}, ContactRefs(), id="href-too-long"),
    ],
)  # fmt: skip
def test_refs_of_another_form_are_blank(contact: dict[str, object], refs: ContactRefs) -> None:
    """Each of the three is read independently of the others."""
    assert ContactRefs.from_json(contact) == refs
