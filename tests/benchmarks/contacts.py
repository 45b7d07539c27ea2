"""Source files for benchmarks: 16 columns, all filled, each record with its own order."""

import csv
import uuid
from pathlib import Path
from random import Random

HEADER = (
    "orderRef", "title", "firstName", "lastName", "gender", "dateOfBirth", "nationality",
    "passportNumber", "emails", "phoneNumbers", "street", "city", "state", "postCode", "country",
    "identifiers",
)  # fmt: skip
_FIRST = ("Aoife", "José Luis", "Anna", "Björn", "Chloé", "Noor", "Siobhán", "Mateusz")
_LAST = ("O'Brien-Walsh", "García-Núñez", "Müller", "Nowak", "Ó Súilleabháin", "Smith")
_CITIES = (
    ("Dublin", "Leinster", "D99 X0X0", "IE", "Irish"),
    ("Madrid", "MD", "00007", "ES", "Spanish"),
    ("Berlin", "BE", "00115", "DE", "German"),
    ("New York", "NY", "00501", "US", "American"),
)


def write_contacts(path: Path, rows: int) -> None:
    """Write a source file of so many records, which are always the same."""
    random = Random(rows)  # noqa: S311 - no secret
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_record(number, random) for number in range(rows))


def _record(number: int, random: Random) -> tuple[str, ...]:
    city, state, post_code, country, nationality = random.choice(_CITIES)
    return (
        str(uuid.UUID(int=random.getrandbits(128), version=4)),
        random.choice(("Mr", "Ms", "Mrs", "Dr")),
        random.choice(_FIRST),
        random.choice(_LAST),
        random.choice(("female", "male", "unknown")),
        f"{random.randrange(1930, 2006)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",
        nationality,
        f"PZ{number:07}",
        f"person.{number}@example.com; p{number}@example.org",
        f"+35320{9100000 + number % 900000}",
        f"{number % 200 + 1} Sample St.; Flat {number % 9 + 1}",
        city,
        state,
        post_code,
        country,
        f"CRM:{10000 + number}; Loyalty:IE-{number}",
    )
