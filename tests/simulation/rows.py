"""The rows of a file, and how its owner changes them between two nights."""

from dataclasses import dataclass, replace
from random import Random

import orjson

from importer.journal import Journal
from importer.records import Contact, Planned
from tests.simulation.api import NO_ORDER
from tests.simulation.watch import content_of

ORDERS = {f"00000000-0000-4000-8000-{n:012x}": f"N{n % 5}" for n in range(1, 7)}
"""Six orders and their numbers; two of them share one."""
DENIED = {b"Poison400": 400, b"Poison403": 403, b"Poison422": 422}
_NO_NUMBER = "N9"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: which order, how it is named, and what is sent."""

    order_ref: str
    number: str
    fields: tuple[tuple[str, object], ...]


def new_row(random: Random) -> Row:
    """Return a row of whatever kind."""
    order_ref = random.choice([*ORDERS] * 4 + [NO_ORDER])
    number = ""
    if random.random() < 0.3:
        number, order_ref = random.choice([*ORDERS.values(), _NO_NUMBER]), ""
    name = random.choice(["Ada", "Ben", "Cid", "Dan", "Eve", "Fay", "Gil", "Hal"])
    fields: dict[str, object] = {"firstName": name}
    if random.random() < 0.9:
        fields |= {"lastName": "Lee", "emails": [f"{name.lower()}@example.com"]}
    if random.random() < 0.5:
        fields["city"] = random.choice(["Cork", "Cobh", "Bray"])
    if random.random() < 0.05:
        fields["city"] = random.choice(list(DENIED)).decode()
    return Row(order_ref, number, tuple(fields.items()))


def edit(rows: list[Row], random: Random) -> None:
    """Change the file as its owner may between two nights."""
    match random.randrange(7):
        case 0:
            random.shuffle(rows)
        case 1:
            del rows[random.randint(1, len(rows)) :]
        case 2:
            rows += [new_row(random) for _ in range(random.randint(1, 5))]
        case 3:
            rows.insert(random.randint(0, len(rows)), random.choice(rows))
        case 4:
            at = random.randrange(len(rows))
            changed = dict(rows[at].fields) | {"city": random.choice(["Cork", "Cobh", "Naas"])}
            rows[at] = replace(rows[at], fields=tuple(changed.items()))
        case 5:
            at = random.randrange(len(rows))
            if rows[at].order_ref in ORDERS:  # named in the other way
                rows[at] = Row("", ORDERS[rows[at].order_ref], rows[at].fields)
        case _:
            pass


def planned_contacts(rows: list[Row], journal: Journal) -> list[Planned]:
    """Return the contacts of the file, as planning and claiming make them."""
    planned, first = [], dict[bytes, int]()
    for number, row in enumerate(rows, 1):
        fields = dict(row.fields)
        order = row.order_ref or f"number {row.number.encode().hex()}"
        key = journal.key(order, content_of(order, fields))
        contact = Contact(number, row.order_ref, orjson.dumps(fields), row.number)
        earlier = first.setdefault(key, number)
        planned.append(Planned(contact, key, earlier if earlier < number else None))
    return planned
