"""The results file of real runs against its schema, and the schema against its own rules."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from command import Workplace, order
from pandera.errors import SchemaErrors
from servers.reference import Fault, ReferenceServer

from importer.records import Status
from schemas.results import DONE_STATUSES, RESULT_COLUMNS, STATUSES, results_schema

SAMPLES = Path(__file__).parents[2] / "sample_data"


def read(path: Path) -> pd.DataFrame:
    """A results file as text."""
    return pd.read_csv(path, dtype=object, keep_default_na=False, na_filter=False)


def test_the_statuses_of_schema_and_program_are_the_same() -> None:
    """Also which of them leave nothing to do."""
    assert list(Status) == list(STATUSES)
    assert [status for status in Status if status.is_done] == list(DONE_STATUSES)


@pytest.mark.parametrize("sample", ["contacts.csv", "faulty.csv"])
def test_results_of_a_real_run_satisfy_the_schema(tmp_path: Path, sample: str) -> None:
    """A file sent to a server that creates some, rejects one and loses one answer."""
    workplace = Workplace(tmp_path)
    faults = [None, Fault(status=400), Fault(store=True, drop=True)]
    with ReferenceServer(faults=faults) as server:
        workplace.send(SAMPLES / sample, server, "--carry", "lastName")
    results = results_schema(["lastName"]).validate(read(workplace.out), lazy=True)
    assert {"created", "rejected"} <= set(results["status"])


def test_results_of_a_stopped_run_satisfy_the_schema(tmp_path: Path) -> None:
    """Rows that were not sent say why."""
    workplace = Workplace(tmp_path)
    source = workplace.write([("orderRef", "firstName"), *((order(n), "Ann") for n in range(5))])
    with ReferenceServer(faults=lambda _: Fault(status=401)) as server:
        workplace.send(source, server)
    results = results_schema().validate(read(workplace.out), lazy=True)
    assert set(results["status"]) == {"not_sent"}


def test_results_of_an_empty_file_satisfy_the_schema(tmp_path: Path) -> None:
    """A header without records leaves a header without records."""
    workplace = Workplace(tmp_path)
    source = workplace.write([("orderRef", "firstName")])
    workplace.run(source, "--dry-run", "--out", workplace.out)
    assert results_schema().validate(read(workplace.out), lazy=True).empty


GOOD = dict.fromkeys(RESULT_COLUMNS, "") | {
    "row": "1",
    "line": "2",
    "status": "created",
    "attempts": "1",
    "httpStatus": "201",
}


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda frame: frame.assign(status="done"), id="unknown-status"),
        pytest.param(lambda frame: frame.assign(row="2"), id="gap-in-rows"),
        pytest.param(lambda frame: frame.assign(line="0"), id="line-0"),
        pytest.param(lambda frame: frame.assign(ref="7"), id="ref-is-none"),
        pytest.param(lambda frame: frame.assign(retryable="true"), id="retryable-though-done"),
        pytest.param(lambda frame: frame.assign(status="failed"), id="neither-retryable-nor-why"),
        pytest.param(lambda frame: frame.assign(attempts=1), id="number-in-place-of-text"),
        pytest.param(lambda frame: frame.assign(more=""), id="column-too-many"),
        pytest.param(lambda frame: frame.drop(columns="href"), id="column-too-few"),
        pytest.param(lambda frame: frame[list(frame)[::-1]], id="columns-in-other-order"),
    ],
)
def test_other_files_do_not_satisfy_it(spoil: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Each rule of the schema refuses what breaks it."""
    good = pd.DataFrame([GOOD], dtype=object)
    results_schema().validate(good, lazy=True)
    with pytest.raises(SchemaErrors):
        results_schema().validate(spoil(good), lazy=True)
