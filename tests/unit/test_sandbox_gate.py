"""Who may ask the sandbox."""

import base64

import pytest

from importer.sandbox.gate import Gate, is_loopback
from importer.sandbox.options import Credentials


def basic(pair: str, scheme: str = "Basic") -> str:
    """Return an Authorization header."""
    return f"{scheme} {base64.b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    ("header", "may_call"),
    [
        (basic("sandbox:sandbox"), True),
        (basic("sandbox:sandbox", "basic"), True),
        (basic("sandbox:other"), False),
        (basic("other:sandbox"), False),
        (basic("sandbox:sandbox", "Bearer"), False),
        ("Basic", False),
        ("Basic \udcff", False),
        ("", False),
    ],
)
def test_a_call_needs_the_credentials(header: str, *, may_call: bool) -> None:
    """Only HTTP Basic with the very pair gets through."""
    assert Gate(Credentials()).may_call(header) is may_call


def test_the_page_is_open_only_with_the_credentials_that_everybody_knows() -> None:
    """Credentials of one's own close the page to whoever does not have them."""
    assert Gate(Credentials()).may_look("")
    gate = Gate(Credentials("mine", "gehéim"))
    assert not gate.may_look("")
    assert gate.may_look(basic("mine:gehéim"))


@pytest.mark.parametrize(
    ("host", "is_this_machine"),
    [
        ("127.0.0.1:8080", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost:1", True),
        ("LOCALHOST", True),
        ("[::1]:8080", True),
        ("::1", True),
        ("evil.example:8080", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("10.0.0.1", False),
        ("192.168.1.5", False),
        ("", False),
    ],
)
def test_only_names_of_this_machine_are_loopback(host: str, *, is_this_machine: bool) -> None:
    """A name that merely points at this machine is not this machine."""
    assert is_loopback(host) is is_this_machine
