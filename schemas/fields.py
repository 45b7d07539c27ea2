"""The fields of an order contact, in the order of the API page.

Source: the vendor's reference, *Create an order contact* (Order REST API v2.1). The page
describes ``state`` once as the post code and answers with both ``state`` and ``postCode``,
so both are fields.
"""

from typing import Final

ORDER_REF: Final = "orderRef"
REFERENCE_ID: Final = "referenceId"
ORDER_FIELDS: Final = (ORDER_REF, REFERENCE_ID)
ORDERED_AT: Final = "orderedAt"
"""Chooses among several orders of one number; never sent."""

CONTACT_FIELDS: Final = (
    "firstName",
    "lastName",
    "emails",
    "identifiers",
    "street",
    "city",
    "state",
    "postCode",
    "title",
    "gender",
    "dateOfBirth",
    "phoneNumbers",
    "nationality",
    "passportNumber",
    "country",
)
TEXT_LIST_FIELDS: Final = ("emails", "street", "phoneNumbers")
IDENTIFIERS: Final = "identifiers"
LIST_FIELDS: Final = (*TEXT_LIST_FIELDS, IDENTIFIERS)
FREE_TEXT_FIELDS: Final = tuple(
    field
    for field in CONTACT_FIELDS
    if field
    not in {
        "emails", IDENTIFIERS, "title", "gender", "dateOfBirth", "phoneNumbers", "passportNumber",
        "country",
    }
)  # fmt: skip
"""Fields whose text has no form of its own; ``street`` is a list of such texts."""
FIELDS: Final = (*ORDER_FIELDS, ORDERED_AT, *CONTACT_FIELDS)

TITLES: Final = (
    "Br", "Brigadier", "Capt", "Colonel", "Dame", "Dr", "Elder", "Fr", "General", "Hon",
    "Judge", "Lord", "Master", "Miss", "Mr", "Mrs", "Ms", "Mstr", "Prof", "Rabbi", "Rev",
    "Shaikha", "Sheikh", "Sir", "Sister", "Sr",
)  # fmt: skip
GENDERS: Final = ("male", "female", "unknown")
