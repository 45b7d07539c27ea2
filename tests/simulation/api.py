"""A model of the Order API that answers in every way of the table of answers.

It keeps the contacts of each order. Each request gets a fate drawn from the weather: whether it
is applied, when, when that shows in lists, and which answer arrives when, if any.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import orjson

from importer.api import Answer, Listing
from importer.api import rules as answer_rules
from importer.api.calls import (
    Call,
    Change,
    CreateContact,
    DeleteContact,
    FindOrders,
    ListContacts,
    ReadContact,
)
from importer.api.listing import PAGE, read_all
from importer.api.rules import rule_for_failure
from tests.simulation.world import World
from tests.support.procedures import answer, success, unreadable

TIMEOUT = 30.0
NO_ORDER = "00000000-0000-4000-8000-00000000dead"
_UNCLEAR = [
    "408", "500", "502", "504", "gateway", "gateway+wait", "page", "202", "204",
    "network.timeout", "network.timeout", "network.reset", "response.invalid",
]  # fmt: skip
_BUSY = [
    "429", "429+wait", "503", "503+wait", "421", "425", "413+wait", "network.connect", "not-sent",
    "404page",
]  # fmt: skip
_STOPS = ["301", "401", "415", "network.tls", "429+hour", "gateway+hour"]


@dataclass(frozen=True, slots=True)
class Weather:
    """How well things go.

    Attributes:
        trouble: Share of requests that get no good answer.
        stops: Share of requests whose answer ends the run.
        late: Share of unclear changes that are applied only after their answer.
        lag: Most seconds until a new contact shows in lists.
        slowest: Most seconds that a good answer takes.
        outage: From when until when no connection can be made.
        others: Share of reads before which another client changes a contact.
    """

    trouble: float = 0.0
    stops: float = 0.0
    late: float = 0.0
    lag: float = 0.0
    slowest: float = 0.2
    outage: tuple[float, float] = (0.0, 0.0)
    others: float = 0.0


CALM = Weather()


@dataclass(slots=True, eq=False)
class Stored:
    """A contact as the API holds it.

    Attributes:
        visible_at: From when on lists show it.
        is_touched: Whether it may differ from what was sent to create it.
        is_gone: Whether it was deleted.
    """

    ref: str
    order_ref: str
    fields: dict[str, object]
    created_at: float
    visible_at: float
    is_touched: bool = False
    is_gone: bool = False
    modified_at: float = 0.0

    def json(self, skew: float) -> dict[str, object]:
        """Return it as the API shows it."""
        return {
            **self.fields,
            "ref": self.ref,
            "href": f"https://api.example/v2.1/orderContacts/{self.ref}",
            "createdAt": _instant(self.created_at + skew),
            "modifiedAt": _instant((self.modified_at or self.created_at) + skew),
        }


@dataclass
class SimulatedApi:
    """The API.

    Attributes:
        orders: The orders that exist, with their numbers.
        contacts: All contacts by ref, deleted ones too.
        skew: Seconds that its clock is ahead.
        denied: Requests whose body contains one of these texts are refused.
        created: Called when a request to create a contact is applied.
    """

    world: World
    random: Random
    orders: dict[str, str]
    skew: float = 0.0
    denied: Mapping[bytes, int] = field(default_factory=dict)
    weather: Weather = CALM
    contacts: dict[str, Stored] = field(default_factory=dict)
    created: Callable[[CreateContact, Stored], None] = lambda *_: None
    connect: object = None  # no workers with connections are made
    _last_ref: str = ""

    def begin_night(self, weather: Weather) -> None:
        """Let another weather prevail."""
        self.weather, self._last_ref = weather, ""

    def live(self, order_ref: str) -> list[Stored]:
        """Return the contacts of an order."""
        return [c for c in self.contacts.values() if c.order_ref == order_ref and not c.is_gone]

    def receive(
        self, call: Call, take_turn: Callable[[], bool], reply: Callable[[Answer | Listing], None]
    ) -> None:
        """Take in a call; ``reply`` is called when its answer arrives."""
        weather, now, uniform = self.weather, self.world.now, self.random.uniform
        takes = uniform(0.02, weather.slowest)
        if weather.outage[0] <= now < weather.outage[1]:
            failure = answer(code="network.connect")
            self.world.at(now + takes / 10, partial(self._fail, call, failure, reply))
            return
        fate = self.random.random()
        if fate < weather.stops:
            made = _made(self.random.choice(_STOPS))
            self.world.at(now + takes, partial(self._fail, call, made, reply))
        elif fate < weather.stops + weather.trouble:
            self._trouble(call, takes, reply)
        elif isinstance(call, Change):
            self.world.at(
                now + uniform(0.0, takes), partial(self._change, call, now + takes, reply)
            )
        else:
            self.world.at(
                now + uniform(0.0, takes), partial(self._read, call, take_turn, now + takes, reply)
            )

    def _trouble(self, call: Call, takes: float, reply: Callable[[Answer | Listing], None]) -> None:
        """Answer badly; a change is applied before its unclear answer, after it, or never."""
        now, random = self.world.now, self.random
        kind = random.choice(_BUSY if random.random() < 0.4 else _UNCLEAR)
        made = _made(kind)
        if isinstance(call, CreateContact) and random.random() < 0.05:
            made = unreadable(201)
        answered_at = now + (TIMEOUT if kind == "network.timeout" else takes)
        if isinstance(call, Change) and kind in _UNCLEAR:
            is_late = random.random() < self.weather.late and not isinstance(call, DeleteContact)
            is_certain = made.rule is answer_rules.CREATED_UNREADABLE
            if is_late and not is_certain:
                applied_at = answered_at + random.choice((0.5, 2.5, 6.0, 7.5, 9.0, 60.0, 4000.0))
                self.world.at(applied_at, partial(self._apply, call))
            elif is_certain or random.random() < 0.5:
                self.world.at(now + random.uniform(0.0, takes), partial(self._apply, call))
        elif isinstance(call, CreateContact) and made.rule is answer_rules.CREATED_UNREADABLE:
            self.world.at(now, partial(self._apply, call))
        self.world.at(answered_at, partial(self._fail, call, made, reply))

    def _fail(self, call: Call, made: Answer, reply: Callable[[Answer | Listing], None]) -> None:
        is_list = isinstance(call, ListContacts | FindOrders)
        reply(Listing((), made, 1) if is_list else made)

    def _change(
        self, call: Change, answered_at: float, reply: Callable[[Answer | Listing], None]
    ) -> None:
        made = self._refusal(call) or self._apply(call)
        is_created = isinstance(call, CreateContact) and made.refs.ref
        if is_created and self._last_ref and self.random.random() < self.weather.trouble / 20:
            made = success(made.contact, self._last_ref)  # the ref of another request
        self.world.at(answered_at, partial(self._reply, made, reply))

    def _reply(self, made: Answer, reply: Callable[[Answer | Listing], None]) -> None:
        self._last_ref = made.refs.ref or self._last_ref
        reply(made)

    def _refusal(self, call: Change) -> Answer | None:
        if isinstance(call, CreateContact):
            for text, status in self.denied.items():
                if text in call.body:
                    return answer(status)
            return None if call.order_ref in self.orders else answer(404)
        stored = self.contacts.get(call.ref)
        return answer(404) if stored is None or stored.is_gone else None

    def _apply(self, call: Change) -> Answer:
        """Do what was asked for, if that can be done; return the good answer."""
        if (refusal := self._refusal(call)) is not None:
            return refusal
        if isinstance(call, CreateContact):
            return self._create(call)
        stored = self.contacts[call.ref]
        if isinstance(call, DeleteContact):
            stored.is_gone = True
            return Answer(rule=answer_rules.APPLIED, seconds=0.1, http_status=204)
        self.touch(stored, orjson.loads(call.body))
        return success(stored.json(self.skew), stored.ref, 200)

    def touch(self, stored: Stored, fields: Mapping[str, object]) -> None:
        """Change a contact."""
        stored.fields = {**stored.fields, **fields}
        stored.is_touched, stored.modified_at = True, self.world.now

    def _create(self, call: CreateContact) -> Answer:
        stored = self.add(call.order_ref, orjson.loads(call.body))
        self.created(call, stored)
        return success(stored.json(self.skew), stored.ref)

    def add(self, order_ref: str, fields: dict[str, object]) -> Stored:
        """Have an order hold one contact more."""
        ref = f"{len(self.contacts) + 1:08x}-0000-4000-8000-{self.random.getrandbits(48):012x}"
        now = self.world.now
        lag = self.random.uniform(0.0, self.weather.lag) if self.weather.lag else 0.0
        self.contacts[ref] = stored = Stored(ref, order_ref, fields, now, now + lag)
        return stored

    def _read(
        self,
        call: Call,
        take_turn: Callable[[], bool],
        answered_at: float,
        reply: Callable[[Answer | Listing], None],
    ) -> None:
        """Read what there is at this moment, between two changes by others."""
        if self.weather.others and self.random.random() < self.weather.others:
            self._change_by_others()
        made: Answer | Listing
        match call:
            case ReadContact(ref):
                stored = self.contacts.get(ref)
                is_there = stored is not None and not stored.is_gone
                made = (
                    success(stored.json(self.skew), ref, 200)
                    if stored is not None and is_there
                    else answer(404)
                )
            case ListContacts(order_ref) if order_ref not in self.orders:
                made = Listing((), answer(404), 1)
            case ListContacts(order_ref):
                now = self.world.now
                shown = [c for c in self.live(order_ref) if c.visible_at <= now]
                made = self._pages([c.json(self.skew) for c in shown], take_turn)
            case FindOrders(number):
                found = [ref for ref, one in self.orders.items() if one == number]
                made = self._pages(
                    [{"ref": ref, "referenceId": number} for ref in found], take_turn
                )
            case _:
                raise TypeError(call)
        self.world.at(answered_at, lambda: reply(made))

    def _pages(self, items: list[dict[str, object]], take_turn: Callable[[], bool]) -> Listing:
        def page(path: str) -> Answer:
            if offset_of(path) and self.random.random() < self.weather.trouble:
                return answer(500)
            offset = offset_of(path)
            shown = items[offset : offset + PAGE]
            more = {"next": {"href": "x"}} if offset + PAGE < len(items) else {}
            return Answer(
                rule=answer_rules.APPLIED,
                seconds=0.1,
                http_status=200,
                contact={"items": shown, **more},
            )

        listing = read_all(page, "x?", take_turn)
        return replace(listing, clock_lead=timedelta(seconds=self.skew))

    def _change_by_others(self) -> None:
        live = [one for one in self.contacts.values() if not one.is_gone]
        order_ref = self.random.choice(list(self.orders))
        match self.random.randrange(3):
            case 0 if live:
                self.touch(self.random.choice(live), {"title": "Dr"})
            case 1 if live:
                self.random.choice(live).is_gone = True
            case _:
                fields = {"firstName": "Someone", "lastName": "Else"}
                self.add(order_ref, {**fields, "city": str(self.random.random())})


def offset_of(path: str) -> int:
    """Return the offset of the page that a path asks for."""
    return int(path.partition("&offset=")[2].partition("&")[0])


def _made(kind: str) -> Answer:  # noqa: PLR0911 - a table
    """Return the answer of a kind."""
    kind, _, wait = kind.partition("+")
    more: dict[str, Any] = {"retry_after": {"wait": 2.0, "hour": 3600.0}[wait]} if wait else {}
    match kind:
        case "gateway":
            return answer(503, api=False, **more)
        case "502" | "504" | "301":
            return answer(int(kind), api=False)
        case "404page":
            return answer(404, api=False)
        case "page":
            return unreadable(200)
        case "202" | "204":
            return unreadable(int(kind))
        case "not-sent":
            made = answer(code="network.reset")
            rule = rule_for_failure("network.reset", is_certain=True)
            return replace(made, rule=rule, sent=False)
        case _ if kind.isdecimal():
            return answer(int(kind), **more)
        case _:
            return answer(code=kind)


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
