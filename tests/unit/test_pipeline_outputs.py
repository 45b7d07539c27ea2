"""No file of a run overwrites another."""

import io
import os
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from importer.errors import UsageError
from importer.pipeline.outputs import check_paths
from importer.settings import RunOptions, SourceOptions

WRITTEN = ("out", "rejects", "summary", "report", "journal")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a source file."""
    path = tmp_path / "contacts.csv"
    path.write_text("orderRef\n")
    return path


def options(source: Path | None, directory: Path, **paths: Path) -> RunOptions:
    """Return a run whose files all have different names, except for the given ones."""
    named = {name: directory / f"a-{name}" for name in WRITTEN} | paths
    reads = {"--config": directory / "import.toml", "--credentials-file": directory / "c.toml"}
    return RunOptions(source=SourceOptions(path=source), reads=reads, **named)  # type: ignore[arg-type]


def itself(path: Path, directory: Path) -> Path:
    """Return the file's own name."""
    del directory
    return path


def roundabout(path: Path, directory: Path) -> Path:
    """Return a name with ``..`` in it."""
    return directory / ".." / directory.name / path.name


def through_a_directory(path: Path, directory: Path) -> Path:
    """Return the file in a directory that is a symbolic link."""
    (directory / "elsewhere").symlink_to(directory)
    return directory / "elsewhere" / path.name


def symbolic_link(path: Path, directory: Path) -> Path:
    """Return a symbolic link to the file."""
    (directory / "link").symlink_to(path.name)
    return directory / "link"


def hard_link(path: Path, directory: Path) -> Path:
    """Return a second name of the file."""
    os.link(path, directory / "hard")
    return directory / "hard"


NAMES = (itself, roundabout, through_a_directory, symbolic_link, hard_link)


@pytest.mark.parametrize("option", WRITTEN)
@pytest.mark.parametrize("name", NAMES, ids=[name.__name__ for name in NAMES])
def test_source_file_is_never_overwritten(
    tmp_path: Path, source: Path, option: str, name: Callable[[Path, Path], Path]
) -> None:
    """By any option, under any name."""
    asked = options(source, tmp_path, **{option: name(source, tmp_path)})
    with pytest.raises(UsageError, match=f"--{option}: .* is also the source file"):
        check_paths(asked)


def test_source_file_on_standard_input_is_never_overwritten(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in: import-contacts - --out contacts.csv < contacts.csv."""
    fstat = os.fstat
    monkeypatch.setattr(os, "fstat", lambda number: fstat(number) if number else source.stat())
    with pytest.raises(UsageError, match=r"--rejects: .* is also the source file"):
        check_paths(options(None, tmp_path, rejects=source))


@pytest.mark.parametrize("option", WRITTEN)
@pytest.mark.parametrize("read", ["--config", "--credentials-file"])
def test_configuration_and_credentials_are_never_overwritten(
    tmp_path: Path, source: Path, option: str, read: str
) -> None:
    """By any option."""
    path = options(source, tmp_path).reads[read]
    path.write_text("")
    with pytest.raises(UsageError, match=f"--{option}: .* is also the file of {read}"):
        check_paths(options(source, tmp_path, **{option: path}))


@pytest.mark.parametrize(("one", "other"), list(permutations(WRITTEN, 2)))
def test_two_files_never_share_a_name(tmp_path: Path, source: Path, one: str, other: str) -> None:
    """Whichever comes first."""
    both = tmp_path / "both"
    with pytest.raises(UsageError, match=r"is also .*; name another file"):
        check_paths(options(source, tmp_path, **{one: both, other: both}))


@pytest.mark.parametrize(
    ("option", "beside"),
    [(name, f".a-{name}.partial") for name in WRITTEN] + [("journal", "a-journal-journal")],
)
def test_temporary_files_overwrite_no_other_file(tmp_path: Path, option: str, beside: str) -> None:
    """A source file of that name would be emptied before its second reading."""
    source = tmp_path / beside
    source.write_text("orderRef\n")
    with pytest.raises(UsageError, match=rf"--{option}: .*{beside}\) is also the source file"):
        check_paths(options(source, tmp_path))
    other = "summary" if option == "rejects" else "rejects"
    with pytest.raises(UsageError, match=r"is also .*; name another file"):
        check_paths(options(tmp_path / "other.csv", tmp_path, **{other: source}))


def test_standard_output_is_not_appended_to_the_source_file(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in: import-contacts contacts.csv --out - >> contacts.csv."""
    with source.open("a") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        with pytest.raises(UsageError, match="--out: - is also the source file"):
            check_paths(options(source, tmp_path, out=Path("-")))


def test_two_files_never_share_standard_output(tmp_path: Path, source: Path) -> None:
    """Only one can be written there."""
    with pytest.raises(UsageError, match="--summary: - is also the file of --out"):
        check_paths(options(source, tmp_path, out=Path("-"), summary=Path("-")))


def test_different_names_are_accepted(tmp_path: Path, source: Path) -> None:
    """Also when all of the files exist already."""
    asked = options(source, tmp_path)
    check_paths(asked)
    for name in WRITTEN:
        (tmp_path / f"a-{name}").write_text("yesterday")
    check_paths(asked)


def test_dry_run_writes_no_journal(tmp_path: Path, source: Path) -> None:
    """So its name is not compared with others."""
    check_paths(
        RunOptions(
            source=SourceOptions(path=source), out=tmp_path / "o", journal=source, dry_run=True
        )
    )


@pytest.mark.parametrize("option", WRITTEN)
def test_unwritable_paths_are_refused(tmp_path: Path, source: Path, option: str) -> None:
    """A file in an absent directory, and a directory."""
    for path in (tmp_path / "absent" / "x", tmp_path):
        with pytest.raises(UsageError, match=f"--{option}: "):
            check_paths(options(source, tmp_path, **{option: path}))


def test_unusable_standard_output_is_refused(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed one, and one that takes text only, as in notebooks."""
    for stream in (None, io.StringIO()):
        monkeypatch.setattr("sys.stdout", stream)
        with pytest.raises(UsageError, match="standard output is closed or takes only text"):
            check_paths(options(source, tmp_path, out=Path("-")))
