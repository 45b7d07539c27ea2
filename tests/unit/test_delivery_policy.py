"""The table of the promise: what is sent again, what is read back, what ends the run."""

from random import Random

import pytest

from importer.api import Answer, Verdict
from importer.delivery import policy
from importer.delivery.policy import Action, Step
from importer.records import Status


def answer(
    verdict: Verdict = Verdict.NOT_APPLIED,
    status: int | None = None,
    code: str = "",
    **more: object,
) -> Answer:
    """An answer, with the error code of its status."""
    code = code or (f"http.{status}" if status and status >= 300 else "")
    return Answer(verdict=verdict, seconds=0.1, http_status=status, error_code=code, **more)  # type: ignore[arg-type]


def after_create(given: Answer, attempt: int = 1, attempts: int = 5) -> Step:
    """The step after an answer to a POST."""
    return policy.after_create(given, attempt, attempts, Random(1))  # noqa: S311 - jitter


REF = "2d7de9df-45a2-45ea-872c-30e45139007d"


@pytest.mark.parametrize(
    ("given", "action", "status"),
    [
        pytest.param(
            answer(Verdict.APPLIED, 201, ref=REF), Action.FINISH, Status.CREATED, id="201"
        ),
        pytest.param(answer(Verdict.APPLIED, 201), Action.SETTLE, None, id="201-without-ref"),
        pytest.param(answer(Verdict.APPLIED, 204), Action.SETTLE, None, id="204"),
        pytest.param(answer(Verdict.UNKNOWN, 500), Action.SETTLE, None, id="500"),
        pytest.param(answer(Verdict.UNKNOWN, 503), Action.SETTLE, None, id="503-of-a-gateway"),
        pytest.param(
            answer(Verdict.UNKNOWN, code="network.timeout"), Action.SETTLE, None, id="time-out"
        ),
        pytest.param(
            answer(Verdict.UNKNOWN, code="network.reset"), Action.SETTLE, None, id="reset"
        ),
        pytest.param(answer(status=400), Action.FINISH, Status.REJECTED, id="400"),
        pytest.param(answer(status=404), Action.FINISH, Status.REJECTED, id="404"),
        pytest.param(answer(status=409), Action.FINISH, Status.REJECTED, id="409"),
        pytest.param(answer(status=422), Action.FINISH, Status.REJECTED, id="422"),
        pytest.param(answer(status=429), Action.SEND, None, id="429"),
        pytest.param(answer(status=503), Action.SEND, None, id="503-of-the-api"),
        pytest.param(answer(code="network.connect"), Action.SEND, None, id="refused"),
    ],
)
def test_after_create(given: Answer, action: Action, status: Status | None) -> None:
    """Only what is known not to be applied is sent again; what is unclear is read back."""
    step = after_create(given)
    assert (step.action, step.status, step.stop) == (action, status, None)


@pytest.mark.parametrize("status", [408, 500, 501, 502, 503, 504, 507, 520, 599, None])
def test_what_is_unclear_is_never_sent_again_blindly(status: int | None) -> None:
    """Not on any attempt, the last one included."""
    for attempt in range(1, 6):
        step = after_create(answer(Verdict.UNKNOWN, status, "network.reset"), attempt)
        assert step.action is Action.SETTLE


@pytest.mark.parametrize(
    ("given", "why", "status"),
    [
        pytest.param(answer(status=401), "credentials", Status.NOT_SENT, id="401"),
        pytest.param(answer(status=403), "credentials", Status.NOT_SENT, id="403"),
        pytest.param(answer(code="network.tls"), "tls", Status.NOT_SENT, id="certificate"),
        pytest.param(answer(status=302), "redirect", Status.FAILED, id="302"),
        pytest.param(answer(status=308), "redirect", Status.FAILED, id="308"),
        pytest.param(answer(status=415), "media_type", Status.REJECTED, id="415"),
        pytest.param(
            answer(status=429, retry_after=86400.0),
            "retry_after",
            Status.FAILED,
            id="429-for-a-day",
        ),
    ],
)
def test_what_ends_the_run(given: Answer, why: str, status: Status) -> None:
    """Answers after which no other row could get through."""
    step = after_create(given)
    assert step.stop is not None
    assert (step.stop.why, step.status) == (why, status)


def test_the_last_attempt_fails() -> None:
    """After the last attempt what is known not to be created has failed."""
    assert after_create(answer(status=429), 5, 5).status is Status.FAILED
    assert policy.after_absent(5, 5, Random(1)).status is Status.FAILED  # noqa: S311


def test_503_is_sent_again_at_once_twice() -> None:
    """The vendor says so, because its servers are clustered; then it is backed off from."""
    delays = [after_create(answer(status=503), attempt).delay for attempt in (1, 2, 3)]
    assert delays[:2] == [0.0, 0.0]
    assert delays[2] > 0.0


def test_retry_after_is_kept_to() -> None:
    """No row comes back before the time that the API has named."""
    for attempt in range(1, 5):
        assert after_create(answer(status=429, retry_after=2.0), attempt).delay >= 2.0


def test_back_off_is_capped_and_jittered() -> None:
    """Full jitter between nothing and a cap that doubles up to 30 seconds."""
    random = Random(1)  # noqa: S311 - jitter
    for attempt, cap in [(1, 0.5), (2, 1.0), (3, 2.0), (7, 30.0), (1000, 30.0)]:
        delays = [policy.backoff(attempt, random) for _ in range(500)]
        assert max(delays) <= cap
        assert min(delays) < cap * 0.05
        assert max(delays) > cap * 0.95


@pytest.mark.parametrize(
    ("given", "tries", "status", "stops"),
    [
        pytest.param(answer(Verdict.UNKNOWN, 500), 1, None, False, id="500-first"),
        pytest.param(answer(Verdict.UNKNOWN, 500), 5, Status.UNKNOWN, False, id="500-last"),
        pytest.param(answer(status=404), 1, Status.UNKNOWN, False, id="404"),
        pytest.param(answer(status=401), 1, Status.UNKNOWN, True, id="401"),
    ],
)
def test_a_failed_reading_never_leads_to_sending(
    given: Answer,
    tries: int,
    status: Status | None,
    stops: bool,  # noqa: FBT001
) -> None:
    """Who cannot read back does not know, and who does not know does not send."""
    step = policy.after_failed_reading(given, tries, 5, Random(1))  # noqa: S311
    assert step.action is not Action.SEND
    assert step.status == status
    assert (step.stop is not None) == stops
