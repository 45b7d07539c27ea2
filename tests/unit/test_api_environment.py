"""Proxy and certificate settings are read from the environment once."""

import os
from pathlib import Path

import pytest

from importer.api.environment import Environment
from importer.errors import UsageError

API = "https://api-engage-eu.sitecorecloud.io"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE"):
            monkeypatch.delenv(name)


def test_empty_environment_is_a_direct_connection() -> None:
    """The certificates are those of certifi."""
    environment = Environment.of(API)
    assert environment == Environment()
    assert environment.describe() == "no proxy; certificates trusted by certifi"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("value", ["http://me:s3cret@proxy.example.com:3128", "proxy:3128"])
def test_proxy_is_used_and_shown_without_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """``-v`` prints the description."""
    monkeypatch.setenv(variable, value)
    environment = Environment.of(API)
    assert environment.proxy == (value if "://" in value else f"http://{value}")
    assert f"proxy http://{value.rpartition('@')[2].rpartition('/')[2]}" in environment.describe()
    assert "s3cret" not in environment.describe()


@pytest.mark.parametrize("no_proxy", ["api-engage-eu.sitecorecloud.io", ".sitecorecloud.io", "*"])
def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    """An exempt host is reached directly."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert Environment.of(API).proxy is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "[::1]"])
def test_loopback_host_is_never_reached_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """The sandbox runs on this machine, not on that of the proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    assert Environment.of(f"http://{host}:8080").proxy is None
    assert Environment.of(f"https://{host}:8080").proxy is None


@pytest.mark.parametrize(
    "proxy", ["socks5://proxy:1080", "http://", "http://proxy:port", "ftp://x"]
)
def test_unusable_proxy_is_refused(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """It must not be bypassed silently."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(UsageError, match="HTTPS_PROXY"):
        Environment.of(API)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_ca_bundle_is_used_and_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    """``-v`` prints the bundle and the variable."""
    monkeypatch.setenv(variable, str(tmp_path))
    environment = Environment.of(API)
    assert environment.ca_bundle == str(tmp_path)
    assert f"{tmp_path} (from {variable})" in environment.describe()


def test_unusable_ca_bundle_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is missing, or contains no certificates."""
    bundle = tmp_path / "bundle.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with pytest.raises(UsageError, match="REQUESTS_CA_BUNDLE"):
        Environment.of(API)
    bundle.write_text("no certificate")
    with pytest.raises(UsageError, match="REQUESTS_CA_BUNDLE"):
        Environment.of(API).tls_context()
