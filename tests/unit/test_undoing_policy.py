"""The table of an undo: what is deleted, read again, left alone."""

from datetime import UTC, datetime
from random import Random

import pytest

from importer.api import Answer, Verdict
from importer.delivery.policy import Action, Step
from importer.records import Status
from importer.undoing import policy


def answer(
    verdict: Verdict = Verdict.NOT_APPLIED,
    status: int | None = None,
    code: str = "",
    *,
    api: bool = True,
    **more: object,
) -> Answer:
    """An answer, with the error code of its status."""
    code = code or (f"http.{status}" if status and status >= 300 else "")
    return Answer(
        verdict=verdict, seconds=0.1, http_status=status, error_code=code, is_api_error=api, **more
    )  # type: ignore[arg-type]


def after_delete(given: Answer, attempt: int = 1) -> Step:
    """The step after an answer to a DELETE, of five allowed."""
    return policy.after_delete(given, attempt, 5, Random(1))  # noqa: S311 - jitter


APPLIED, UNKNOWN = Verdict.APPLIED, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("given", "action", "status"),
    [
        pytest.param(answer(APPLIED, 204), Action.FINISH, Status.DELETED, id="204"),
        pytest.param(answer(APPLIED, 200), Action.SETTLE, None, id="200"),
        pytest.param(answer(APPLIED, 202), Action.SETTLE, None, id="202"),
        pytest.param(answer(status=404), Action.FINISH, Status.ABSENT, id="404"),
        pytest.param(answer(status=410), Action.FINISH, Status.ABSENT, id="410"),
        pytest.param(answer(status=404, api=False), Action.SEND, None, id="404-page"),
        pytest.param(answer(status=400), Action.FINISH, Status.FAILED, id="400"),
        pytest.param(answer(status=409), Action.FINISH, Status.FAILED, id="409"),
        pytest.param(answer(status=429), Action.SEND, None, id="429"),
        pytest.param(answer(status=503), Action.SEND, None, id="503-of-the-api"),
        pytest.param(answer(code="network.connect"), Action.SEND, None, id="refused"),
        pytest.param(answer(UNKNOWN, 500), Action.SETTLE, None, id="500"),
        pytest.param(answer(UNKNOWN, 503, api=False), Action.SETTLE, None, id="503-page"),
        pytest.param(answer(UNKNOWN, code="network.timeout"), Action.SETTLE, None, id="time-out"),
    ],
)
def test_after_delete(given: Answer, action: Action, status: Status | None) -> None:
    """Only 204 is a deletion, only the API's own word an absence; what is unclear is read."""
    step = after_delete(given)
    assert (step.action, step.status, step.stop) == (action, status, None)


@pytest.mark.parametrize("status", [401, 403, 302, 415])
def test_what_ends_the_run(status: int) -> None:
    """No other contact could be deleted, or read, either."""
    for step in (
        after_delete(answer(status=status)),
        policy.after_reading(answer(status=status), 1, 5, Random(1)),  # noqa: S311
    ):
        assert step.stop is not None
        assert step.status is Status.FAILED


@pytest.mark.parametrize(
    ("given", "tries", "action", "status"),
    [
        pytest.param(answer(status=404), 1, Action.FINISH, Status.ABSENT, id="404"),
        pytest.param(answer(status=404, api=False), 1, Action.SETTLE, None, id="page"),
        pytest.param(
            answer(status=404, api=False), 5, Action.FINISH, Status.FAILED, id="page-last"
        ),
        pytest.param(answer(UNKNOWN, 500), 1, Action.SETTLE, None, id="500"),
        pytest.param(answer(UNKNOWN, 500), 5, Action.FINISH, Status.FAILED, id="500-last"),
        pytest.param(answer(status=429), 4, Action.SETTLE, None, id="429"),
        pytest.param(answer(UNKNOWN, 200), 1, Action.SETTLE, None, id="200-page"),
    ],
)
def test_a_failed_reading_never_leads_to_deleting(
    given: Answer, tries: int, action: Action, status: Status | None
) -> None:
    """Whoever cannot read a contact does not know whether it is what was created."""
    step = policy.after_reading(given, tries, 5, Random(1))  # noqa: S311 - jitter
    assert (step.action, step.status) == (action, status)


def test_what_is_there_is_deleted_at_once_and_then_after_a_while() -> None:
    """The first attempt does not wait; the next ones back off."""
    random = Random(1)  # noqa: S311 - jitter
    assert policy.after_presence(0, random) == Step(Action.SEND, delay=0.0)
    assert policy.after_presence(1, random).delay > 0.0


CREATED = "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "modified_at",
    [
        pytest.param(CREATED, id="equal"),
        pytest.param("2026-01-01T00:00:01Z", id="a-second-later"),
        pytest.param("2025-12-31T23:59:59Z", id="before"),
        pytest.param("2026-01-01T01:00:00.500+01:00", id="another-zone"),
        pytest.param("2026-01-01T00:00:00", id="no-zone"),
        pytest.param("2026-01-01T00:00:00.123456789Z", id="nanoseconds"),
    ],
)
def test_nobody_has_changed_it(modified_at: str) -> None:
    """The API sets both instants when it creates a contact, a moment apart."""
    assert policy.modified({"createdAt": CREATED, "modifiedAt": modified_at}) is None


def test_somebody_has_changed_it() -> None:
    """A moment that is told."""
    found = policy.modified({"createdAt": CREATED, "modifiedAt": "2026-01-01T00:00:01.001Z"})
    assert found == datetime(2026, 1, 1, 0, 0, 1, 1000, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", "soon", 1767225600, ["2026"]])
@pytest.mark.parametrize("field", ["createdAt", "modifiedAt"])
def test_nobody_can_tell_whether_it_was_changed(field: str, value: object) -> None:
    """An instant that is missing, or none."""
    with pytest.raises(ValueError, match="no instant"):
        policy.modified({"createdAt": CREATED, "modifiedAt": CREATED} | {field: value})
