"""The only room that knows HTTP; says of every request applied, not applied or unknown."""

from importer.api.answers import Answer, Listing, Verdict
from importer.api.client import Api, Connection
from importer.api.destination import REGIONS, Credentials, base_url_of, check_base_url

__all__ = [
    "REGIONS",
    "Answer",
    "Api",
    "Connection",
    "Credentials",
    "Listing",
    "Verdict",
    "base_url_of",
    "check_base_url",
]
