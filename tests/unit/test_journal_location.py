"""Where the journal of a destination is kept."""

import stat
from pathlib import Path

import pytest

from importer.api.destination import one_name_of
from importer.errors import UsageError
from importer.journal import create_folder, default_path


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api-engage-eu.sitecorecloud.io", "api-engage-eu.sitecorecloud.io.journal"),
        ("https://API.Example.:443", "api.example.journal"),
        ("https://api.example:8443/v2", "api.example.journal"),
        ("http://127.0.0.1:8080", "127.0.0.1.journal"),
        ("http://localhost", "127.0.0.1.journal"),
        ("http://[::1]:1", "127.0.0.1.journal"),
        ("https://[2001:db8::1]", "2001_db8__1.journal"),
        ("https://..", "_.journal"),
        ("https://*$(x)", "___x_.journal"),
    ],
)
def test_a_host_has_one_file(base_url: str, name: str) -> None:
    """Ports and paths share it, and so do all names of the loopback address."""
    path = default_path(one_name_of(base_url), environment={"STATE_DIRECTORY": "/state"})
    assert path == Path("/state") / name


def test_a_shard_has_a_file_of_its_own() -> None:
    """So shards can run side by side."""
    path = default_path("https://a.example:443", (2, 4), {"STATE_DIRECTORY": "/state"})
    assert path == Path("/state/a.example.2-of-4.journal")


def test_the_first_state_directory_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As systemd sets it; without one it is the user's state folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/u/.state")
    folders = [
        default_path("https://a.example:443", environment=environment).parent
        for environment in (
            {"STATE_DIRECTORY": "/one:/two"},
            {"STATE_DIRECTORY": "relative"},
            {"STATE_DIRECTORY": ""},
            {},
        )
    ]
    state = Path("/home/u/.state/import-contacts")
    assert folders == [Path("/one"), tmp_path / "relative", state, state]
    assert list(tmp_path.iterdir()) == []


def test_a_user_without_a_home_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder named "~" is created."""
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    with pytest.raises(UsageError, match=r"no home folder.*--journal.*STATE_DIRECTORY"):
        default_path("https://a.example:443", environment={})


def test_the_folder_is_created_for_its_owner(tmp_path: Path) -> None:
    """With those above it; one that is there is left as it is."""
    path = tmp_path / "one" / "two" / "a.journal"
    create_folder(path)
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path.parent, path.parent.parent)] == [
        0o700,
        0o700,
    ]
    path.parent.chmod(0o755)
    create_folder(path)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
    assert not path.exists()


@pytest.mark.parametrize("folder", ["file", "file/below", "/proc/none"])
def test_a_folder_that_cannot_be_created_names_the_remedy(tmp_path: Path, folder: str) -> None:
    """Both ways out are named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be used.*--journal.*STATE_DIRECTORY"):
        create_folder(tmp_path / folder / "a.journal")
