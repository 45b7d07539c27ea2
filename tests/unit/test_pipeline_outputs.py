"""No file that a run reads, or writes, is written over by another of its files."""

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
    """A source file."""
    path = tmp_path / "contacts.csv"
    path.write_text("orderRef\n")
    return path


def options(source: Path | None, directory: Path, **paths: Path) -> RunOptions:
    """A run whose files all have names of their own, but for those that are given."""
    named = {name: directory / f"a-{name}" for name in WRITTEN} | paths
    reads = {"--config": directory / "import.toml", "--credentials-file": directory / "c.toml"}
    return RunOptions(source=SourceOptions(path=source), reads=reads, **named)  # type: ignore[arg-type]


def itself(path: Path, directory: Path) -> Path:
    """The file by its own name."""
    del directory
    return path


def roundabout(path: Path, directory: Path) -> Path:
    """The file by a way around."""
    return directory / ".." / directory.name / path.name


def through_a_directory(path: Path, directory: Path) -> Path:
    """The file in a directory that is a symbolic link."""
    (directory / "elsewhere").symlink_to(directory)
    return directory / "elsewhere" / path.name


def symbolic_link(path: Path, directory: Path) -> Path:
    """A symbolic link to the file."""
    (directory / "link").symlink_to(path.name)
    return directory / "link"


def hard_link(path: Path, directory: Path) -> Path:
    """A second name of the file."""
    os.link(path, directory / "hard")
    return directory / "hard"


NAMES = (itself, roundabout, through_a_directory, symbolic_link, hard_link)


@pytest.mark.parametrize("option", WRITTEN)
@pytest.mark.parametrize("name", NAMES, ids=[name.__name__ for name in NAMES])
def test_the_source_file_is_never_written_over(
    tmp_path: Path, source: Path, option: str, name: Callable[[Path, Path], Path]
) -> None:
    """By whatever name and whichever option."""
    asked = options(source, tmp_path, **{option: name(source, tmp_path)})
    with pytest.raises(UsageError, match=f"--{option}: .* is the source file as well"):
        check_paths(asked)


def test_a_source_file_on_standard_input_is_known_too(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in: import-contacts - --out contacts.csv < contacts.csv."""
    fstat = os.fstat
    monkeypatch.setattr(os, "fstat", lambda number: fstat(number) if number else source.stat())
    with pytest.raises(UsageError, match=r"--rejects: .* is the source file as well"):
        check_paths(options(None, tmp_path, rejects=source))


@pytest.mark.parametrize("option", WRITTEN)
@pytest.mark.parametrize("read", ["--config", "--credentials-file"])
def test_a_file_that_is_read_is_never_written_over(
    tmp_path: Path, source: Path, option: str, read: str
) -> None:
    """Nobody wants results in the place of credentials."""
    path = options(source, tmp_path).reads[read]
    path.write_text("")
    with pytest.raises(UsageError, match=f"--{option}: .* is the file of {read} as well"):
        check_paths(options(source, tmp_path, **{option: path}))


@pytest.mark.parametrize(("one", "other"), list(permutations(WRITTEN, 2)))
def test_two_files_never_share_a_name(tmp_path: Path, source: Path, one: str, other: str) -> None:
    """Neither would be whole."""
    both = tmp_path / "both"
    with pytest.raises(UsageError, match="as well; name another file"):
        check_paths(options(source, tmp_path, **{one: both, other: both}))


@pytest.mark.parametrize(
    ("option", "beside"),
    [(name, f".a-{name}.partial") for name in WRITTEN] + [("journal", "a-journal-journal")],
)
def test_what_is_written_by_way_of_another_file_does_not_write_over_that(
    tmp_path: Path, option: str, beside: str
) -> None:
    """A source file of that name would be emptied before it is read again."""
    source = tmp_path / beside
    source.write_text("orderRef\n")
    with pytest.raises(UsageError, match=rf"--{option}: .*{beside}, which\) is the source file"):
        check_paths(options(source, tmp_path))
    other = "summary" if option == "rejects" else "rejects"
    with pytest.raises(UsageError, match="as well; name another file"):
        check_paths(options(tmp_path / "other.csv", tmp_path, **{other: source}))


def test_standard_output_is_not_added_to_the_source_file(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in: import-contacts contacts.csv --out - >> contacts.csv."""
    with source.open("a") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        with pytest.raises(UsageError, match="--out: - is the source file as well"):
            check_paths(options(source, tmp_path, out=Path("-")))


def test_two_files_never_share_standard_output(tmp_path: Path, source: Path) -> None:
    """One alone can have it."""
    with pytest.raises(UsageError, match="--summary: - is the file of --out as well"):
        check_paths(options(source, tmp_path, out=Path("-"), summary=Path("-")))


def test_names_of_their_own_are_fine(tmp_path: Path, source: Path) -> None:
    """Also when all of them stand there from yesterday."""
    asked = options(source, tmp_path)
    check_paths(asked)
    for name in WRITTEN:
        (tmp_path / f"a-{name}").write_text("yesterday")
    check_paths(asked)


def test_a_dry_run_has_no_journal_to_write(tmp_path: Path, source: Path) -> None:
    """So any name will do for it."""
    check_paths(
        RunOptions(
            source=SourceOptions(path=source), out=tmp_path / "o", journal=source, dry_run=True
        )
    )


@pytest.mark.parametrize("option", WRITTEN)
def test_what_cannot_be_written_is_known_before_anything_is_sent(
    tmp_path: Path, source: Path, option: str
) -> None:
    """A directory that is not there, and one that stands in the way."""
    for path in (tmp_path / "absent" / "x", tmp_path):
        with pytest.raises(UsageError, match=f"--{option}: "):
            check_paths(options(source, tmp_path, **{option: path}))


def test_a_closed_standard_output_is_known_as_well(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results that nobody gets are no results; so is one that takes text alone, as notebooks do."""
    for stream in (None, io.StringIO()):
        monkeypatch.setattr("sys.stdout", stream)
        with pytest.raises(UsageError, match="standard output is closed, or takes no file"):
            check_paths(options(source, tmp_path, out=Path("-")))
