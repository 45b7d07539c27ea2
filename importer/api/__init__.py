"""The only room that knows HTTP; says of every request applied, not applied or unknown."""

from importer.api.answers import Answer, Listing, Verdict
from importer.api.classification import REF_FORM, unusable
from importer.api.client import Api, Connection
from importer.api.destination import (
    REGIONS,
    Credentials,
    base_url_of,
    check_base_url,
    is_loopback,
    one_name_of,
)

__all__ = [
    "REF_FORM",
    "REGIONS",
    "Answer",
    "Api",
    "Connection",
    "Credentials",
    "Listing",
    "Verdict",
    "base_url_of",
    "check_base_url",
    "is_loopback",
    "one_name_of",
    "unusable",
]
