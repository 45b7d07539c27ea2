"""The schema of the results file: real runs satisfy it, and broken files do not."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from command import Workplace, order
from pandera.errors import SchemaErrors
from servers.reference import Fault, ReferenceServer

from schemas.results import RESULT_COLUMNS, results_schema

SAMPLES = Path(__file__).parents[2] / "sample_data"


def read(path: Path) -> pd.DataFrame:
    """Return a results file as text."""
    return pd.read_csv(path, dtype=object, keep_default_na=False, na_filter=False)


@pytest.mark.parametrize("sample", ["contacts.csv", "faulty.csv"])
def test_results_of_a_real_run_satisfy_the_schema(tmp_path: Path, sample: str) -> None:
    """Some rows are created, one is rejected, and one answer is lost."""
    workplace = Workplace(tmp_path)
    faults = [None, Fault(status=400), Fault(store=True, drop=True)]
    with ReferenceServer(faults=faults) as server:
        workplace.send(SAMPLES / sample, server, "--carry", "lastName")
    results = results_schema(["lastName"]).validate(read(workplace.out), lazy=True)
    assert {"created", "rejected"} <= set(results["status"])


def test_results_of_a_stopped_run_satisfy_the_schema(tmp_path: Path) -> None:
    """Its rows were not sent."""
    workplace = Workplace(tmp_path)
    source = workplace.write([("orderRef", "firstName"), *((order(n), "Ann") for n in range(5))])
    with ReferenceServer(faults=lambda _: Fault(status=401)) as server:
        workplace.send(source, server)
    results = results_schema().validate(read(workplace.out), lazy=True)
    assert set(results["status"]) == {"not_sent"}


def test_results_of_an_empty_file_satisfy_the_schema(tmp_path: Path) -> None:
    """They have a header and no records."""
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
        pytest.param(lambda frame: frame.assign(ref="7"), id="ref-is-not-one"),
        pytest.param(lambda frame: frame.assign(retryable="true"), id="retryable-though-done"),
        pytest.param(lambda frame: frame.assign(status="failed"), id="open-without-retryable"),
        pytest.param(
            lambda frame: frame.assign(status="failed", retryable="true"), id="open-without-code"
        ),
        pytest.param(lambda frame: frame.assign(errorCode="made.up"), id="unknown-code"),
        pytest.param(lambda frame: frame.assign(errorCode="invalid"), id="half-a-code"),
        pytest.param(lambda frame: frame.assign(attempts=1), id="number-instead-of-text"),
        pytest.param(lambda frame: frame.assign(more=""), id="column-too-many"),
        pytest.param(lambda frame: frame.drop(columns="href"), id="column-too-few"),
        pytest.param(lambda frame: frame[list(frame)[::-1]], id="columns-in-other-order"),
    ],
)
def test_other_files_do_not_satisfy_it(spoil: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Each of them breaks one rule."""
    good = pd.DataFrame([GOOD], dtype=object)
    results_schema().validate(good, lazy=True)
    with pytest.raises(SchemaErrors):
        results_schema().validate(spoil(good), lazy=True)


@pytest.mark.parametrize("code", ["http.418", "invalid.street", "stopped.api_down", "unknown"])
def test_documented_error_codes_satisfy_it(code: str) -> None:
    """Those of families, too."""
    row = GOOD | {"status": "failed", "retryable": "true", "errorCode": code}
    results_schema().validate(pd.DataFrame([row], dtype=object), lazy=True)


def test_carried_columns_with_names_of_results_satisfy_it(tmp_path: Path) -> None:
    """They come after the columns of the results, and pandas gives them a number."""
    workplace = Workplace(tmp_path)
    source = workplace.write([("orderRef", "firstName", "status"), (order(1), "Ann", "open")])
    carried = ("status", "orderRef")
    workplace.run(
        source, "--dry-run", "--out", workplace.out, *(f"--carry={name}" for name in carried)
    )
    results = results_schema(carried).validate(read(workplace.out), lazy=True)
    assert results["status"].tolist() == ["valid"]
    assert results["status.1"].tolist() == ["open"]
