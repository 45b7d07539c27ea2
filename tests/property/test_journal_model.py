"""The journal behaves like a dictionary, whatever is written, forgotten, reopened and read."""

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from importer.journal import Entry, Journal, Sender, State

SENDERS = [Sender("https://eu.example"), Sender("https://us.example")]
ORDERS = [f"00000000-0000-4000-8000-{number:012d}" for number in range(3)]
CONTENTS = [b"a", b"b", b"c"]
THERE = {State.CREATED, State.FOUND}

Name = tuple[str, bytes]


class JournalModel(RuleBasedStateMachine):
    """A journal compared with one dictionary for each destination."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal"
        self.model: dict[Sender, dict[Name, Entry]] = {sender: {} for sender in SENDERS}
        self.owned: dict[Sender, set[tuple[str, str]]] = {sender: set() for sender in SENDERS}
        self.seen: set[str] = set()
        self.run = 0
        self.runs = 0

    @initialize(sender=st.sampled_from(SENDERS))
    def start(self, sender: Sender) -> None:
        """Open the journal for the first time."""
        self._open(sender)

    def teardown(self) -> None:
        """Close the journal and remove its files."""
        self.journal.close()
        self.folder.cleanup()

    @rule(sender=st.sampled_from(SENDERS))
    def reopen(self, sender: Sender) -> None:
        """End one run, and begin the next."""
        self.journal.close()
        self._open(sender)

    @rule()
    def begin_run(self) -> None:
        """Begin a numbered run."""
        self.runs = self.run = self.journal.begin_run("import-contacts", "a.csv")

    @rule(
        names=st.lists(st.tuples(st.sampled_from(ORDERS), st.sampled_from(CONTENTS)), max_size=4),
        state=st.sampled_from(State),
        ref=st.sampled_from(["r1", "r2", "r3"]),
    )
    def write(self, names: list[Name], state: State, ref: str) -> None:
        """Write some entries in one transaction."""
        entries = []
        for order, content in names:
            entry = Entry(self.journal.key(order, content), order, state, ref)
            entries.append(entry)
            self.model[self.sender][order, content] = replace(entry, run=self.run)
        self.journal.write(entries)

    @rule(state=st.sampled_from(State))
    def write_back(self, state: State) -> None:
        """Change the state of found entries."""
        known = self.model[self.sender]
        for name, entry in known.items():
            known[name] = replace(entry, state=state, run=entry.run or self.run)
        self.journal.write(replace(entry, state=state) for entry in self._found(known).values())

    @rule()
    def forget(self) -> None:
        """Forget everything except refs."""
        known = self.model[self.sender]
        self.owned[self.sender] |= {(one.order_ref, one.ref) for one in known.values()}
        known.clear()
        self.journal.forget()

    @rule(name=st.tuples(st.sampled_from(ORDERS), st.sampled_from(CONTENTS)))
    def see(self, name: Name) -> None:
        """Mark a contact of the file as seen."""
        if entry := self.model[self.sender].get(name):
            self.journal.mark_seen([entry])
            self.seen.add(entry.ref)

    @invariant()
    def agrees(self) -> None:
        """Compare the results of all queries."""
        known = self.model[self.sender]
        assert self._found((order, content) for order in ORDERS for content in CONTENTS) == {
            entry.key: entry for entry in known.values()
        }
        there = [entry for entry in known.values() if entry.state in THERE]
        assert self.journal.contacts_count() == len(there)
        assert self.journal.known_orders(ORDERS) == {order for order, _ in known}
        listed = [one for one in self.journal.contacts() if not one.is_forgotten]
        assert sorted(listed, key=_by_key) == sorted(known.values(), key=_by_key)
        missing = [
            one
            for one in there
            if one.ref not in self.seen and (not self.run or one.run != self.run)
        ]
        assert sorted(self.journal.missing(), key=_by_key) == sorted(missing, key=_by_key)
        for order in ORDERS:
            refs = {one.ref for one in known.values() if one.order_ref == order}
            refs |= {ref for owner, ref in self.owned[self.sender] if owner == order}
            assert self.journal.owned_refs(order, ()) == refs
        assert list(self.journal.verify()) == []

    def _open(self, sender: Sender) -> None:
        self.sender = sender
        self.journal = Journal.open(self.path, sender)
        self.run = 0
        self.seen = set()

    def _found(self, names: Iterable[Name]) -> dict[bytes, Entry]:
        return self.journal.find([self.journal.key(*name) for name in names])


def _by_key(entry: Entry) -> bytes:
    return entry.key


TestJournalModel = JournalModel.TestCase
TestJournalModel.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
