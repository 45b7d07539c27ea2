"""Files that appear whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from importer.errors import StoppedError, UsageError
from importer.files import STANDARD_STREAM, AtomicFile


def test_nothing_changes_before_the_commit(tmp_path: Path) -> None:
    """The old file stands until the new one is whole."""
    path = tmp_path / "results.csv"
    path.write_text("old")
    with AtomicFile(path, "--out") as file:
        file.write("new")
        assert path.read_text() == "old"
        file.commit()
    assert path.read_text() == "new"
    assert [path] == list(tmp_path.iterdir())


def test_without_a_commit_the_old_file_stays_and_no_other(tmp_path: Path) -> None:
    """A file that is not committed leaves no trace."""
    path = tmp_path / "results.csv"
    path.write_text("old")
    with AtomicFile(path, "--out") as file:
        file.write("new")
    assert path.read_text() == "old"
    assert [path] == list(tmp_path.iterdir())


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Personal data is created 0600, in the place of a file that others could read too."""
    path = tmp_path / "results.csv"
    path.touch(0o644)
    with AtomicFile(path, "--out") as file:
        file.commit()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_killed_run_left_is_written_over(tmp_path: Path) -> None:
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
    """The second one is told so."""
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
def test_what_cannot_be_written_is_known_at_once(tmp_path: Path, place, message: str) -> None:  # noqa: ANN001
    """Before anything is sent, and with the option that named it."""
    with pytest.raises(UsageError, match=f"--out: .*{message}"):
        AtomicFile(place(tmp_path), "--out")


def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    """The disk may fill up only when the last block is written."""
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


def test_what_goes_to_standard_output_never_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A run that is killed before it is whole leaves it nowhere; it arrives byte for byte."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with AtomicFile(STANDARD_STREAM, "--rejects", "utf-16") as file:
        file.write("Größe\n" * 50_000)
        file.stream.flush()
        assert list(tmp_path.iterdir()) == []
        assert capfdbinary.readouterr().out == b""
        file.commit()
    assert capfdbinary.readouterr().out.decode("utf-16") == "Größe\n" * 50_000
