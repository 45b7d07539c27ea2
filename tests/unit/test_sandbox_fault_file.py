"""Reading faults from files and options, and the errors in them."""

from pathlib import Path

import pytest

from importer.sandbox.fault_file import read_faults, read_latency, read_rule
from importer.sandbox.faults import FaultAction, FaultRule, Faults, Latency
from importer.sandbox.messages import Call
from importer.sandbox.settings import SandboxError

ORDER = "2D7DE9DF-45a2-45ea-872c-30e45139007d"


def read(tmp_path: Path, text: str) -> Faults:
    """Read a file with this text."""
    path = tmp_path / "faults.toml"
    path.write_text(text)
    return read_faults(path)


def test_empty_file_has_no_faults(tmp_path: Path) -> None:
    """An empty file defines no faults."""
    assert read(tmp_path, "") == Faults()


def test_every_setting_is_read(tmp_path: Path) -> None:
    """A file with every key sets every attribute."""
    text = f"""
        seed = -7
        latency = 0.05
        rate_limit = 10
        [[fault]]
        name = "busy"
        action = "status"
        status = 429
        retry_after = 2
        call = ["create", "find-orders"]
        order = ["{ORDER}", "A-17"]
        share = 0.5
        [[fault]]
        action = "silence"
        applied = true
        seconds = 3
        turn = [1, 4]
    """
    busy = FaultRule(
        action=FaultAction.STATUS,
        name="busy",
        calls=frozenset({Call.CREATE, Call.FIND_ORDERS}),
        orders=frozenset({ORDER.lower(), "A-17"}),
        share=0.5,
        status=429,
        retry_after="2",
    )
    silence = FaultRule(
        action=FaultAction.SILENCE,
        name="fault 2: silence",
        turns=frozenset({1, 4}),
        applied=True,
        seconds=3.0,
    )
    expected = Faults(seed=-7, latency=Latency(0.05, 0.05), rate_limit=10.0, rules=(busy, silence))
    assert read(tmp_path, text) == expected


def test_an_option_is_a_rule() -> None:
    """Strings need no quotes in an option; numbers and booleans are recognized."""
    expected = FaultRule(
        action=FaultAction.DROP,
        name="--fault 2: drop",
        calls=frozenset({Call.CREATE}),
        share=0.05,
        applied=True,
    )
    assert read_rule("action=drop, call=create,share=0.05,applied=true", 2) == expected
    assert read_rule(f"action=drop,order={ORDER}", 1).orders == {ORDER.lower()}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sed = 1", "'sed' is not known; did you mean seed?"),
        ("seed = 'x'", "seed must be a whole number."),
        ("rate_limit = 0", "rate_limit must be a number above 0."),
        ("rate_limit = true", "rate_limit must be a number."),
        ("latency = 'slow'", "latency must be 0.05 (seconds)"),
        ("latency = '0.3-0.1'", "latency 0.3-0.1 ends below its start; write 0.1-0.3."),
        ("[fault]\naction='drop'", "write [[fault]] above each fault."),
        ("seed =", "is not TOML"),
        ("[[fault]]", "fault 1: action is missing; it is one of status,"),
        ("[[fault]]\naction='dorp'", "fault 1: 'dorp' is not a valid action; did you mean drop?"),
        ("[[fault]]\naction='drop'\nshares=0.1", "'shares' is not known; did you mean share?"),
        (
            "[[fault]]\naction='drop'\ncall='creat'",
            "'creat' is not a valid call; did you mean create?",
        ),
        ("[[fault]]\naction='drop'\nshare=5", "share must be above 0 and at most 1"),
        ("[[fault]]\naction='drop'\nshare=0.1\nevery=2", "give only one of share and every."),
        ("[[fault]]\naction='drop'\nturn=[0]", "turn must be a whole number, 1 or more."),
        ("[[fault]]\naction='drop'\nturn=[1.5]", "turn must be a whole number."),
        ("[[fault]]\naction='drop'\norder=[7]", "order must be a string or a list of strings."),
        ("[[fault]]\naction='drop'\napplied='yes'", "applied must be true or false."),
        ("[[fault]]\naction='silence'", "action silence needs seconds."),
        ("[[fault]]\naction='silence'\nseconds=-1", "seconds must be a number above 0."),
        ("[[fault]]\naction='silence'\nseconds=inf", "seconds must be a number above 0."),
        (
            "[[fault]]\naction='drop'\nseconds=1",
            "seconds has no effect with action drop;",
        ),
        (
            "[[fault]]\naction='drop'\nstatus=500",
            "status has no effect with action drop;",
        ),
        (
            "[[fault]]\naction='cut'\napplied=true",
            "applied has no effect with action cut;",
        ),
        ("[[fault]]\naction='status'\nstatus=200", "status must be from 300 to 599"),
        ("[[fault]]\naction='page'\nstatus=500", "status must be from 502 to 504"),
    ],
)
def test_error_names_the_place_and_the_remedy(tmp_path: Path, text: str, complaint: str) -> None:
    """An invalid name or value is an error with its place and the nearest valid name."""
    with pytest.raises(SandboxError) as refused:
        read(tmp_path, text)
    assert complaint in str(refused.value)
    assert str(refused.value).startswith(f"The faults file {tmp_path / 'faults.toml'}")


def test_option_without_a_value_is_an_error() -> None:
    """An option that is not a list of pairs is an error."""
    with pytest.raises(SandboxError, match="'drop' has no '='"):
        read_rule("drop", 1)


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    """A file that cannot be read is an error that names it."""
    with pytest.raises(SandboxError, match=r"no\.toml: No such file"):
        read_faults(tmp_path / "no.toml")


@pytest.mark.parametrize(
    ("text", "latency"),
    [
        ("0", Latency()),
        ("0.05", Latency(0.05, 0.05)),
        (".5", Latency(0.5, 0.5)),
        ("0.02-0.08", Latency(0.02, 0.08)),
        ("exp:0.05", Latency(mean=0.05)),
    ],
)
def test_latency_has_three_forms(text: str, latency: Latency) -> None:
    """A latency is fixed, uniform or exponential."""
    assert read_latency(text, "--latency") == latency


def test_sample_is_valid() -> None:
    """The bad day in sample_data is valid and contains every action."""
    sample = Path(__file__).parents[2] / "sample_data" / "bad-day.toml"
    actions = {rule.action for rule in read_faults(sample).rules}
    assert actions == set(FaultAction)
