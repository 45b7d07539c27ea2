"""What must hold at every moment of every night, whatever goes wrong.

The watch sees each request that leaves, each answer that arrives, and each outcome that is
reported, and compares them with what the API really holds and with what is on disk.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus

import orjson

from importer.api import Answer, Listing
from importer.api.calls import (
    Call,
    Change,
    CreateContact,
    DeleteContact,
    FindOrders,
    ListContacts,
    UpdateContact,
)
from importer.delivery.matching import is_same_person
from importer.delivery.state import Timing
from importer.engine import Job
from importer.journal import Journal, State
from importer.records import CONTACT_DUPLICATED, CONTACT_OLDER, Outcome, Planned, Status
from importer.settings import DeliveryOptions, IfExists
from schemas.canonical import canonical, differing_fields
from tests.simulation.api import SimulatedApi, Stored
from tests.simulation.world import World

_TIMING = Timing()
_LONGEST_PAUSE = 120.0
_ROUNDING = 1e-6


class Broken(AssertionError):  # noqa: N818 - what it says
    """The promise does not hold."""


class Known(Enum):
    """What the importer can know of the result of a request to create a contact."""

    NOTHING = auto()
    """No answer yet, an unclear one, or one that a kill has taken along."""
    CREATED = auto()
    NOT_CREATED = auto()
    FORGOTTEN = auto()
    """Its journal is lost, so there is not even an intent."""


@dataclass(slots=True, eq=False)
class Post:
    """A request to create a contact.

    Attributes:
        patience: Seconds after the answer at which the last reading back is due.
        stored: The contact that it has created, if it has.
        is_settled: Whether the order was read as long as promised without showing it. If it
            is there all the same, that could not be known.
    """

    content: bytes
    night: int
    call: CreateContact
    known: Known = Known.NOTHING
    answered_at: float | None = None
    patience: float = 0.0
    stored: Stored | None = None
    is_settled: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it says nothing against sending the contact again."""
        is_gone = self.stored is not None and (self.stored.is_gone or self.stored.is_touched)
        return is_gone or self.is_settled or self.known is Known.NOT_CREATED


@dataclass(slots=True)
class Reading:
    """A complete list of an order's contacts."""

    time: float
    refs: frozenset[str]


def content_of(order_ref: str, fields: Mapping[str, object]) -> bytes:
    """Return what makes two contacts of one order the same."""
    return canonical(order_ref, fields)


@dataclass
class Watch:
    """Observes all nights of one scenario."""

    world: World
    api: SimulatedApi
    posts: dict[bytes, list[Post]] = field(default_factory=lambda: defaultdict(list))
    night: int = 0
    requests_to_change: int = 0
    has_compared: bool = False
    retired: set[str] = field(default_factory=set)
    rows: dict[int, Planned] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.api.created = self._created

    # A night begins.

    def begin(self, journal: Journal, options: DeliveryOptions, planned: Sequence[Planned]) -> None:
        """Observe an import."""
        self._begin(journal, options)
        self.rows = {one.contact.row: one for one in planned}

    def begin_undo(self, journal: Journal, options: DeliveryOptions, refs: Sequence[str]) -> None:
        """Observe an undo."""
        self._begin(journal, options)
        self.undone = set(refs)

    def _begin(self, journal: Journal, options: DeliveryOptions) -> None:
        self.night += 1
        self.has_compared |= options.if_exists is not IfExists.CREATE
        self.journal, self.options = journal, options
        self.started = self.world.now
        self.rows = dict[int, Planned]()
        self.undone = set[str]()
        self.reported: dict[int, Outcome] = {}
        self.readings: dict[str, Reading] = {}
        self.in_flight: dict[str, int] = defaultdict(int)
        self.last_rows: dict[str, int] = defaultdict(int)
        self.paused_until = 0.0
        self.requests_to_change = 0
        self.can_write = True
        for posts in self.posts.values():
            for post in posts:
                if post.known is not Known.NOT_CREATED:
                    post.known = self._known_by_journal(post)

    def _known_by_journal(self, post: Post) -> Known:
        key = self.journal.key(post.call.order_ref, post.content)
        entry = self.journal.find([key]).get(key)
        if entry is None or (entry.state is State.ABSENT and not post.is_settled):
            return Known.FORGOTTEN
        return Known.CREATED if entry.is_there else Known.NOTHING

    def start_afresh(self, journal: Journal) -> None:
        """Excuse all that is there: the next import is to create it once more."""
        for posts in self.posts.values():
            for post in posts:
                post.is_settled = True
                if post.stored is not None and journal.find_refs([post.stored.ref]):
                    self.retired.add(post.stored.ref)

    # Requests and answers.

    def observe(self, job: Job, call: Call, result: Answer | Listing | None) -> None:
        """Take in a request that leaves, or the result of one."""
        lane = self._order_of(call)
        if result is None:
            self.in_flight[lane] += 1
            self._leaves(job, call, lane)
            return
        self.in_flight[lane] -= 1
        answer = result.failure if isinstance(result, Listing) else result
        if answer is not None and answer.retry_after is not None:
            until = self.world.now + min(answer.retry_after, _LONGEST_PAUSE)
            self.paused_until = max(self.paused_until, until)
        if isinstance(result, Listing):
            is_missing = result.failure is not None and result.failure.is_gone
            is_read = result.failure is None or is_missing
            if is_read and isinstance(call, ListContacts):
                self._read(call.order_ref, result)
            return
        if isinstance(call, CreateContact):
            self._answered(call, result)

    def _order_of(self, call: Call) -> str:
        match call:
            case CreateContact(order_ref, _) | ListContacts(order_ref):
                return order_ref
            case FindOrders(number):
                return f"number {number}"
            case _:
                return self.api.contacts[call.ref].order_ref

    def _leaves(self, job: Job, call: Call, lane: str) -> None:
        _must(sum(self.in_flight.values()) <= self.options.concurrency, "too many in flight")
        _must(self.in_flight[lane] == 1, f"two requests of {lane} in flight")
        is_open = self.world.now >= self.paused_until - _ROUNDING
        _must(is_open, "a request leaves although the API asked to wait")
        is_change = isinstance(call, Change)
        self.requests_to_change += is_change
        _must(not (is_change and self.options.preview), "a preview changes something")
        match call:
            case CreateContact():
                _must(job.row >= self.last_rows[lane], f"row {job.row} of {lane} out of order")
                self.last_rows[lane] = job.row
                self._check_create(call)
            case UpdateContact():
                _must(self.options.if_exists is IfExists.UPDATE, "an update is not asked for")
            case DeleteContact(ref):
                _must(ref in self.undone, f"{ref} is deleted and was not created")
                entries = self.journal.find_refs([ref])
                is_recorded = all(one.state is not State.CREATED for one in entries)
                _must(is_recorded, "a deletion leaves before its intent is on disk")
            case _:
                pass

    def _check_create(self, call: CreateContact) -> None:
        content = content_of(call.order_ref, orjson.loads(call.body))
        key = self.journal.key(call.order_ref, content)
        entry = self.journal.find([key]).get(key)
        is_recorded = entry is not None and entry.state is State.INTENT
        _must(is_recorded, "a request leaves before its intent is on disk")
        for post in self.posts[content]:
            _must(post.is_over, f"a contact is sent again that may be there ({post.known})")
        self.posts[content].append(Post(content, self.night, call))

    def _created(self, call: CreateContact, stored: Stored) -> None:
        posts = self.posts[content_of(call.order_ref, orjson.loads(call.body))]
        next(post for post in posts if post.call is call).stored = stored

    def _answered(self, call: CreateContact, result: Answer) -> None:
        post = self.posts[content_of(call.order_ref, orjson.loads(call.body))][-1]
        post.answered_at = self.world.now
        post.patience = sum(_TIMING.delays(result))
        post.known = _known_by(result)

    def _read(self, order_ref: str, listing: Listing) -> None:
        """Note which requests a reading has settled: the contact is not there in the end."""
        refs = frozenset(str(item["ref"]) for item in listing.items)
        self.readings[order_ref] = Reading(self.world.now, refs)
        for posts in self.posts.values():
            for post in posts:
                is_shown = post.stored is not None and post.stored.ref in refs
                if post.call.order_ref != order_ref or is_shown or post.known is Known.CREATED:
                    continue
                if post.night == self.night and post.answered_at is None:
                    continue
                post.is_settled |= self.world.now >= self._last_reading(post) - _ROUNDING

    def _last_reading(self, post: Post) -> float:
        """Return when the promised readings back are over."""
        if post.known is Known.FORGOTTEN:
            return self.started
        if post.night == self.night and post.answered_at is not None:
            return post.answered_at + post.patience
        return self.started + sum(_TIMING.earlier)

    # Outcomes.

    def report(self, outcomes: list[Outcome]) -> None:
        """Take in outcomes."""
        for outcome in outcomes:
            _must(outcome.row not in self.reported, f"row {outcome.row} is reported twice")
            self.reported[outcome.row] = outcome
            if self.undone:
                self._check_undone(outcome)
            else:
                self._check_reported(outcome)

    def _check_undone(self, outcome: Outcome) -> None:
        if outcome.status in {Status.DELETED, Status.ABSENT}:
            _must(self.api.contacts[outcome.ref].is_gone, "a deleted contact is there")
            entries = self.journal.find_refs([outcome.ref])
            is_known = all(one.state is State.ABSENT for one in entries) or not self.can_write
            _must(is_known, "a contact is deleted and the journal has it")

    def _check_reported(self, outcome: Outcome) -> None:
        planned = self.rows[outcome.row]
        match outcome.status:
            case Status.CREATED if outcome.ref:
                is_new = outcome.ref not in self.retired
                _must(is_new, f"row {outcome.row}: its contact is that of an earlier row")
                self._check_there(planned, outcome)
                self._check_second(outcome)
            case Status.CREATED:
                _must(outcome.error_code == "response.invalid", "a ref is missing")
            case Status.EXISTS | Status.UPDATED if outcome.ref:
                self._check_there(planned, outcome)
            case Status.REJECTED | Status.FAILED | Status.NOT_SENT:
                self._check_not_there(planned, outcome)
            case _:
                pass
        is_kept = outcome.status in {Status.CREATED, Status.UPDATED}
        if is_kept and self.can_write:
            content = content_of(outcome.order_ref, planned.contact.fields)
            key = self.journal.key(outcome.order_ref, content)
            entry = self.journal.find([key]).get(key)
            _must(entry is not None and entry.is_there, "an outcome is reported and not on disk")

    def _check_there(self, planned: Planned, outcome: Outcome) -> None:
        stored = self.api.contacts.get(outcome.ref)
        if stored is None:
            raise Broken(f"row {outcome.row}: there never was a contact {outcome.ref}")
        _must(stored.order_ref == outcome.order_ref, f"row {outcome.row}: another order's contact")
        is_equal = not differing_fields(planned.contact.fields, stored.fields)
        # Once --if-exists has been used, the journal knows contacts that are only alike.
        excused = stored.is_touched or (self.has_compared and not outcome.attempts)
        _must(is_equal or excused, f"row {outcome.row}: its contact holds other values")

    def _check_second(self, outcome: Outcome) -> None:
        """See that a contact that the API has created late is reported, if it can be seen."""
        reading = self.readings.get(outcome.order_ref)
        stored = self.api.contacts[outcome.ref]
        if reading is None or outcome.ref not in reading.refs or reading.time < stored.created_at:
            return
        content = content_of(outcome.order_ref, self.rows[outcome.row].contact.fields)
        shown = [
            post
            for post in self.posts[content]
            if post.stored is not None
            and post.night == self.night
            and not post.stored.is_touched
            and post.stored.ref in reading.refs
        ]
        is_reported = outcome.error_code in {CONTACT_DUPLICATED, CONTACT_OLDER}
        _must(len(shown) < 2 or is_reported, "a second contact is not reported")

    def _check_not_there(self, planned: Planned, outcome: Outcome) -> None:
        if self.options.if_exists is not IfExists.CREATE:
            return  # an update may have failed, or the contact was not wanted again
        for post in self.posts.get(content_of(outcome.order_ref, planned.contact.fields), ()):
            is_there = post.stored is not None and not post.is_over
            is_known = post.known is not Known.FORGOTTEN
            _must(not (is_there and is_known), f"row {outcome.row} is {outcome.status} and there")

    def is_open(self, outcome: Outcome) -> bool:
        """Return whether a row cannot be settled: its order is gone or holds what may be it."""
        if outcome.order_ref not in self.api.orders:
            return True
        sent = self.rows[outcome.row].contact.fields
        return any(
            not differing_fields(sent, one.fields) or is_same_person(sent, one.fields)
            for one in self.api.live(outcome.order_ref)
        )

    def end(self) -> None:
        """Check the end of a run that was not killed: every row has its outcome."""
        missing = set(self.rows) - set(self.reported)
        _must(not missing, f"rows without an outcome: {sorted(missing)}")
        for outcome in self.reported.values():
            planned = self.rows.get(outcome.row)
            if planned is None or planned.duplicate_of is None:
                continue
            first = self.reported[planned.duplicate_of]
            if outcome.status is Status.DUPLICATE and outcome.ref and first.ref:
                _must(outcome.ref == first.ref, f"row {outcome.row} has not the ref of its first")

    def forget_others(self) -> None:
        """Excuse what a lost journal knew and the file no longer has.

        The promise is that the same file may come again: a run of another one that is complete
        makes the new journal trusted, and then no order is read first any more.
        """
        asked = {
            content_of(self.reported[row].order_ref, planned.contact.fields)
            for row, planned in self.rows.items()
        }
        for content, posts in self.posts.items():
            for post in posts:
                post.is_settled |= post.known is Known.FORGOTTEN and content not in asked

    def check_contacts(self) -> None:
        """Check that no contact is there twice, except where that could not be known."""
        for posts in self.posts.values():
            surplus = [post for post in posts if post.stored is not None and not post.is_over]
            _must(len(surplus) <= 1, f"the same contact is there {len(surplus)} times")


def _known_by(result: Answer) -> Known:
    """Return what an answer proves; written anew, so that the table of answers is tested, too."""
    status = result.http_status
    if result.refs.ref or status == HTTPStatus.CREATED:
        return Known.CREATED
    if status is None:
        is_certain = not result.sent or result.error_code in {"network.connect", "network.tls"}
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        is_certain = result.is_api_error
    else:
        is_certain = 300 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT
    return Known.NOT_CREATED if is_certain else Known.NOTHING


def _must(holds: bool, what: str) -> None:  # noqa: FBT001 - a fact and its text
    if not holds:
        raise Broken(what)
