"""The files that a run writes, opened before anything is sent."""

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from importer.errors import ExitStatus, StoppedError, UsageError
from importer.files import STANDARD_STREAM, AtomicFile, check_output, temporary
from importer.reading import Source
from importer.reporting import Summary
from importer.results import Recorder, has_results_of_changes
from importer.settings import RunOptions


def check_paths(options: RunOptions) -> None:
    """Check that no file of the run overwrites another, under whatever name.

    Raises:
        UsageError: Two options name the same file, or one cannot be written.
    """
    seen: dict[object, str] = {}
    for place in _places(options.source.path):
        seen[place] = "the source file"
    for option, path in options.reads.items():
        for place in _places(path):
            seen.setdefault(place, f"the file of {option}")
    for option, path in _written(options):
        for own in (path, *_beside(option, path)):
            places = _stdout() if own == STANDARD_STREAM else _places(own)
            for place in places:
                if place in seen:
                    via = "" if own == path else f" (written through {own.name})"
                    raise UsageError(
                        f"{option}: {path}{via} is also {seen[place]}; name another file."
                    )
            seen |= dict.fromkeys(places, f"the file of {option}")
        check_output(path, option)
    if options.dry_run and has_results_of_changes(options.out):
        raise UsageError(
            f"--out: {options.out} contains the results of a run that sent something, and a dry "
            "run does not overwrite them; name another file."
        )


def _written(options: RunOptions) -> Iterator[tuple[str, Path]]:
    named = {
        "--out": options.out,
        "--rejects": options.rejects,
        "--summary": options.summary,
        "--report": options.report,
        "--journal": None if options.dry_run else options.journal,
    }
    for option, path in named.items():
        if path is not None:
            yield option, path


def _beside(option: str, path: Path) -> list[Path]:
    """Return the files beside a file of the run while it is written."""
    partial = temporary(path)
    beside = [partial] if partial else []
    if option == "--journal":
        beside.append(path.with_name(f"{path.name}-journal"))  # SQLite's own
    return beside


def _stdout() -> list[object]:
    """Return what identifies standard output, which may be a file (``>> contacts.csv``)."""
    places: list[object] = [STANDARD_STREAM]
    with contextlib.suppress(OSError, ValueError, AttributeError):
        places += _itself(os.fstat(sys.stdout.fileno()))
    return places


def _places(path: Path | None) -> list[object]:
    """Return what identifies a path, or standard input: its full name and its inode.

    Two names may be one file, as links are.
    """
    places: list[object] = [] if path is None else [path.resolve()]
    with contextlib.suppress(OSError):
        places += _itself(os.fstat(0) if path is None else path.stat())
    return places


def _itself(found: os.stat_result) -> list[object]:
    return [(found.st_dev, found.st_ino)] if stat.S_ISREG(found.st_mode) else []


class Outputs:
    """The files that appear at the end of a run: results, rejects, report and summary.

    All are opened before anything is sent, so that they do not turn out to be unwritable after it.

    Args:
        options: The paths.
        source: The open source file, whose encoding and delimiter the rejects have.
        stack: Discards what is not committed.
    """

    def __init__(self, options: RunOptions, source: Source, stack: ExitStack) -> None:
        self._source = source
        self._results = stack.enter_context(AtomicFile(options.out, "--out"))
        self._rejects: AtomicFile | None = None
        if options.rejects is not None:
            self._rejects = stack.enter_context(
                AtomicFile(options.rejects, "--rejects", source.encoding)
            )
        about = {"--report": options.report, "--summary": options.summary}
        self._about = {
            option: stack.enter_context(AtomicFile(path, option))
            for option, path in about.items()
            if path is not None
        }

    def recorder(self, carry: Sequence[int]) -> Recorder:
        """Return the recorder that writes results and rejects.

        Args:
            carry: Positions of the columns to copy into the results.
        """
        source = self._source
        recorder = Recorder(self._results.stream, source.header, carry)
        if self._rejects is not None:
            recorder.keep_rejects(self._rejects.stream, source.delimiter, source.preamble)
        return recorder

    def commit(self, failure: OSError | None) -> None:
        """Give results and rejects their names.

        Args:
            failure: The error while they were written; None if there was none.

        Raises:
            StoppedError: They cannot be written whole; previous files are unchanged.
        """
        if failure is not None:
            self._results.fail(failure)
        self._results.commit()
        if self._rejects is not None:
            self._rejects.commit()

    def write_about(self, summary: Summary, report: Callable[[Summary], str]) -> Summary:
        """Write report and summary, after all other files.

        Args:
            summary: The figures of the run.
            report: Returns the page about it.

        Returns:
            The figures, changed if a file could not be written.
        """
        for option, text in (("--report", report), ("--summary", Summary.as_json)):
            file = self._about.get(option)
            if file is None:
                continue
            try:
                file.write(text(summary))
                file.commit()
            except StoppedError as error:
                summary = replace(
                    summary,
                    stop=f"{summary.stop} {error}".strip(),
                    exit_status=ExitStatus.STOPPED,
                )
        return summary
