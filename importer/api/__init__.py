"""The only package that knows HTTP: carries out calls and classifies their answers."""

from importer.api.answers import Answer, Listing, instant_of
from importer.api.classification import unusable
from importer.api.client import Api, Connection
from importer.api.destination import (
    REGIONS,
    Credentials,
    base_url_of,
    check_base_url,
    is_loopback,
    one_name_of,
)
from importer.api.rules import NextStep, Verdict, WhenAbsent

__all__ = [
    "REGIONS",
    "Answer",
    "Api",
    "Connection",
    "Credentials",
    "Listing",
    "NextStep",
    "Verdict",
    "WhenAbsent",
    "base_url_of",
    "check_base_url",
    "instant_of",
    "is_loopback",
    "one_name_of",
    "unusable",
]
