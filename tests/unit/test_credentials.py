"""Credentials come from a file that only its owner can read, or from the environment."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from asking import asked

from importer.credentials import read_credentials
from importer.errors import UsageError
from importer.resolve import import_run

KEY, TOKEN = "key-S3CRET", "token-S3CRET"
GOOD = f'client_key = "{KEY}"\napi_token = "{TOKEN}"\n'


def write(path: Path, text: str = GOOD, mode: int = 0o600) -> Path:
    """Write a credentials file."""
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_private_file_is_read(tmp_path: Path, mode: int) -> None:
    """It contains both credentials."""
    found = read_credentials(write(tmp_path / "c.toml", mode=mode))
    assert (found.client_key, found.api_token) == (KEY, TOKEN)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o602, 0o601])
def test_file_that_others_can_access_is_refused(tmp_path: Path, mode: int) -> None:
    """Any kind of access counts; the message explains how to fix it."""
    with pytest.raises(UsageError, match="chmod 600"):
        read_credentials(write(tmp_path / "c.toml", mode=mode))


def test_mode_of_a_link_is_that_of_its_target(tmp_path: Path) -> None:
    """The mode of the link itself has no meaning."""
    link = tmp_path / "link.toml"
    link.symlink_to(write(tmp_path / "c.toml", mode=0o644))
    with pytest.raises(UsageError, match="read by others"):
        read_credentials(link)
    (tmp_path / "c.toml").chmod(0o600)
    assert read_credentials(link).api_token == TOKEN


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("S3CRET", "not valid TOML", id="no-toml"),
        pytest.param(f"client_key = S3CRET\n{GOOD}", "line 1", id="no-quotes"),
        pytest.param(
            GOOD + "S3CRET_URL = 1\n", "contains more than client_key and api_token", id="more"
        ),
        pytest.param('client_key = "S3CRET"\n', "must contain api_token", id="one-missing"),
        pytest.param(GOOD.replace('"', ""), "not valid TOML", id="bare"),
        pytest.param(f'client_key = ["S3CRET"]\napi_token = "{TOKEN}"', "a string", id="list"),
        pytest.param('client_key = ""\napi_token = "S3CRET"', "missing or blank", id="blank"),
        pytest.param(
            'client_key = "S3CRET x"\napi_token = "y"', "contains a blank", id="with-blank"
        ),
        pytest.param("", "must contain client_key", id="empty"),
    ],
)
def test_wrong_file_is_reported_without_quoting_it(tmp_path: Path, text: str, says: str) -> None:
    """It may contain a secret in the wrong place."""
    with pytest.raises(UsageError) as caught:
        read_credentials(write(tmp_path / "c.toml", text))
    assert says in str(caught.value)
    assert "S3CRET" not in str(caught.value)
    assert "c.toml" in str(caught.value)


def test_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """The message does not quote its bytes."""
    path = write(tmp_path / "c.toml")
    path.write_bytes(b'client_key = "\xff"')
    with pytest.raises(UsageError, match="not UTF-8"):
        read_credentials(path)


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    """A pipe is refused without waiting for its writer, and so is a directory."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    tmp_path.chmod(0o700)
    for place, says in ((pipe, "regular"), (tmp_path, "regular"), (tmp_path / "no", "No such")):
        with pytest.raises(UsageError, match=says):
            read_credentials(place)


def test_credential_of_systemd_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LoadCredential= admits the service by an access list, which shows as mode 0440."""
    path = write(tmp_path / "cdp", mode=0o440)
    with pytest.raises(UsageError):
        read_credentials(path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_credentials(path).client_key == KEY
    path.chmod(0o444)
    with pytest.raises(UsageError):
        read_credentials(path)
    path.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "another"))
    with pytest.raises(UsageError):
        read_credentials(path)


@pytest.mark.parametrize(
    ("where", "in_environment", "key"),
    [
        pytest.param("argument", True, "file", id="argument-beats-environment"),
        pytest.param("argument", False, "file", id="argument"),
        pytest.param("variable", True, "file", id="variable-names-it-on-purpose"),
        pytest.param("config", True, "environment", id="environment-beats-config"),
        pytest.param("config", False, "file", id="config"),
        pytest.param("", True, "environment", id="environment"),
    ],
)
def test_precedence_of_credentials(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    in_environment: bool,  # noqa: FBT001 - one column of the table
    key: str,
) -> None:
    """A file from an argument or a variable, the environment, a file from the configuration."""
    path = write(tmp_path / "c.toml", GOOD.replace(KEY, "file"))
    config = tmp_path / "import.toml"
    config.write_text('credentials-file = "c.toml"\n' if where == "config" else "")
    for name in ("SITECORE_CDP_CLIENT_KEY", "SITECORE_CDP_API_TOKEN"):
        monkeypatch.setenv(name, "environment" if in_environment else "")
    if where == "variable":
        monkeypatch.setenv("IMPORT_CONTACTS_CREDENTIALS_FILE", str(path))
    arguments = ["--credentials-file", path] if where == "argument" else []
    given = asked("--region", "eu", "--config", config, *arguments)
    with ExitStack() as stack:
        _, credentials = import_run(given, stack)
    assert credentials is not None
    assert credentials.client_key == key


def test_credentials_of_two_places_are_never_mixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API would refuse a key from here and a token from there, without saying why."""
    monkeypatch.setenv("SITECORE_CDP_CLIENT_KEY", "environment")
    monkeypatch.delenv("SITECORE_CDP_API_TOKEN", raising=False)
    path = write(tmp_path / "import.toml", 'credentials-file = "c.toml"\nregion = "eu"\n')
    write(tmp_path / "c.toml")
    given = asked("--config", path)
    with ExitStack() as stack, pytest.raises(UsageError, match="SITECORE_CDP_API_TOKEN"):
        import_run(given, stack)
