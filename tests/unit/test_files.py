"""Files that appear whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from importer.errors import StoppedError, UsageError
from importer.files import STANDARD_STREAM, AtomicFile


def test_nothing_changes_before_the_commit(tmp_path: Path) -> None:
    """The previous file stays until the new one is whole."""
    path = tmp_path / "results.csv"
    path.write_text("old")
    with AtomicFile(path, "--out") as file:
        file.write("new")
        assert path.read_text() == "old"
        file.commit()
    assert path.read_text() == "new"
    assert [path] == list(tmp_path.iterdir())


def test_file_without_a_commit_leaves_only_the_previous_one(tmp_path: Path) -> None:
    """A file that is not committed leaves no trace."""
    path = tmp_path / "results.csv"
    path.write_text("old")
    with AtomicFile(path, "--out") as file:
        file.write("new")
    assert path.read_text() == "old"
    assert [path] == list(tmp_path.iterdir())


def test_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """Its mode is 0600, even if the previous file was readable by others."""
    path = tmp_path / "results.csv"
    path.touch(0o644)
    with AtomicFile(path, "--out") as file:
        file.commit()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_file_of_a_killed_run_is_overwritten(tmp_path: Path) -> None:
    """The temporary file always has the same name, so that leftovers do not pile up."""
    path = tmp_path / "results.csv"
    leftover = tmp_path / ".results.csv.partial"
    leftover.write_text("half a run, and longer than what comes now")
    with AtomicFile(path, "--out") as file:
        file.write("new")
        file.commit()
    assert path.read_text() == "new"
    assert not leftover.exists()


def test_two_runs_cannot_write_the_same_file(tmp_path: Path) -> None:
    """The second one is refused."""
    path = tmp_path / "results.csv"
    with (
        AtomicFile(path, "--out"),
        pytest.raises(UsageError, match="another run is writing"),
    ):
        AtomicFile(path, "--out")


def _no_directory(tmp_path: Path) -> Path:
    return tmp_path / "absent" / "results.csv"


def _directory(tmp_path: Path) -> Path:
    return tmp_path


def _link(tmp_path: Path) -> Path:
    path = tmp_path / "link.csv"
    path.symlink_to("elsewhere.csv")
    return path


def _device(_tmp_path: Path) -> Path:
    return Path("/dev/full")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        pytest.param(_no_directory, "no directory", id="no-directory"),
        pytest.param(_directory, "not a regular file", id="directory"),
        pytest.param(_link, "symbolic link", id="link"),
        pytest.param(_device, "not a regular file", id="device"),
    ],
)
def test_unwritable_paths_are_refused_immediately(tmp_path: Path, place, message: str) -> None:  # noqa: ANN001
    """The message names the option."""
    with pytest.raises(UsageError, match=f"--out: .*{message}"):
        AtomicFile(place(tmp_path), "--out")


def test_full_disk_is_an_error_and_leaves_the_previous_file(tmp_path: Path) -> None:
    """Also when only the last block does not fit."""
    path = tmp_path / "results.csv"
    path.write_text("old")
    file = AtomicFile(path, "--out")
    file.write("new")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, file.stream.fileno())
    os.close(full)
    with pytest.raises(StoppedError, match="No space left on device"):
        file.commit()
    assert path.read_text() == "old"
    assert [path] == list(tmp_path.iterdir())


def test_file_for_standard_output_never_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A killed run leaves no part of it; otherwise it arrives byte for byte."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with AtomicFile(STANDARD_STREAM, "--rejects", "utf-16") as file:
        file.write("Größe\n" * 50_000)
        file.stream.flush()
        assert list(tmp_path.iterdir()) == []
        assert capfdbinary.readouterr().out == b""
        file.commit()
    assert capfdbinary.readouterr().out.decode("utf-16") == "Größe\n" * 50_000
