"""Which base URLs and credentials are accepted."""

import pytest

from importer.api import REGIONS, Credentials, base_url_of, check_base_url, one_name_of
from importer.errors import UsageError


@pytest.mark.parametrize("region", ["eu", "us", "ap", "jp"])
def test_base_url_of_each_region_is_accepted(region: str) -> None:
    """The four regions of the vendor use https."""
    assert check_base_url(base_url_of(region)) == REGIONS[region]


def test_unknown_region_is_refused() -> None:
    """The message lists the known regions."""
    with pytest.raises(UsageError, match="eu, us, ap, jp"):
        base_url_of("mars")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("HTTPS://API.example.com/", "https://api.example.com"),
        ("https://api.example.com:8443/cdp/", "https://api.example.com:8443/cdp"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
    ],
)
def test_base_url_is_accepted(url: str, expected: str) -> None:
    """It may have a path and a trailing slash; http is for loopback hosts."""
    assert check_base_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "http://[::]",
        "http://2130706433",
        "https://key:s3cret@api.example.com",
        "https://@api.example.com",
        "https://api.example.com?x=s3cret",
        "https://api.example.com/#s3cret",
        "https://api.example.com?",
        "https://api.example.com:port",
        "https://api.example.com:99999",
        "https://api.example.com:0",
        "https://",
        "https:///v2.1",
        "https://[::1",
        "https://api .example.com",
        "https://api.example.com\n",
        "https://api.example.com\\@evil.example.com",
        "https://äpi.example.com",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "api.example.com",
        "",
    ],
)
def test_base_url_is_refused(url: str) -> None:
    """Before anything is sent, and without repeating what may be a secret."""
    with pytest.raises(UsageError) as refusal:
        check_base_url(url)
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://api.example", "https://API.example:443/"),
        ("https://api.example", "https://api.example."),
        ("https://api.example/cdp", "https://api.example/cdp/"),
        ("http://localhost:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://127.0.0.2:8080"),
        ("http://localhost", "http://localhost:80"),
    ],
)
def test_spellings_of_one_destination_have_one_name(one: str, other: str) -> None:
    """Otherwise its contacts would be sent twice."""
    assert one_name_of(check_base_url(one)) == one_name_of(check_base_url(other))


def test_two_destinations_have_two_names() -> None:
    """Regions, ports, schemes and paths make a difference."""
    urls = [*REGIONS.values(), "https://localhost:1", "http://localhost:1", "http://localhost:2"]
    urls += ["http://localhost:2/a", "http://localhost:2/A"]
    assert len({one_name_of(check_base_url(url)) for url in urls}) == len(urls)


def test_credentials_are_not_in_their_representation() -> None:
    """A log or a traceback may print it."""
    credentials = Credentials("client-key", "t0ken")
    shown = f"{credentials} {credentials!r}"
    assert "client-key" not in shown
    assert "t0ken" not in shown


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "s3cret\n",
        " s3cret",
        "s3 cret",
        '"s3cret"',
        "'s3cret'",
        "s3crét",
        "s3cret\x00",
        "\u200bs3cret",
        "<client key>",
        "${TOKEN}",
        "changeme",
        "your-client-key",
    ],
)
def test_impossible_credentials_are_refused_without_quoting_them(value: str) -> None:
    """The message names the variable."""
    with pytest.raises(UsageError, match="SITECORE_CDP_CLIENT_KEY") as key:
        Credentials(value, "t0ken")
    with pytest.raises(UsageError, match="SITECORE_CDP_API_TOKEN") as token:
        Credentials("client-key", value)
    assert "cret" not in f"{key.value}{token.value}"


def test_client_key_with_a_colon_is_refused() -> None:
    """HTTP Basic would take the text after it for the password."""
    with pytest.raises(UsageError, match="colon"):
        Credentials("a:b", "t0ken")
