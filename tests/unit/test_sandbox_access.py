"""Access to the sandbox: credentials and hosts."""

import base64

import pytest

from importer.sandbox.app import AccessControl, is_loopback
from importer.sandbox.settings import Credentials


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
    """Only HTTP Basic with exactly these credentials is accepted."""
    assert AccessControl(Credentials()).may_call(header) is may_call


def test_only_published_credentials_open_the_page_to_everyone() -> None:
    """With other credentials, the page requires them."""
    assert AccessControl(Credentials()).may_view("")
    access = AccessControl(Credentials("mine", "gehéim"))
    assert not access.may_view("")
    assert access.may_view(basic("mine:gehéim"))


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
def test_only_loopback_hosts_are_accepted(host: str, *, is_this_machine: bool) -> None:
    """A name that resolves to this machine is not accepted."""
    assert is_loopback(host) is is_this_machine
