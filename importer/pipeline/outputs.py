"""The files that a run writes, checked before anything is sent."""

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
from importer.results import Recorder
from importer.settings import RunOptions


def check_paths(options: RunOptions) -> None:
    """See to it that no file of the run is written over another, by whatever name.

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
                    writes = "" if own == path else f" (it is written by way of {own.name}, which)"
                    raise UsageError(
                        f"{option}: {path}{writes} is {seen[place]} as well; name another file."
                    )
            seen |= dict.fromkeys(places, f"the file of {option}")
        check_output(path, option)


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
    """The files that stand beside a file of the run while it is written."""
    partial = temporary(path)
    beside = [partial] if partial else []
    if option == "--journal":
        beside.append(path.with_name(f"{path.name}-journal"))  # SQLite's own
    return beside


def _stdout() -> list[object]:
    """What standard output can be known by; as a file, if it is one (``>> contacts.csv``)."""
    places: list[object] = [STANDARD_STREAM]
    with contextlib.suppress(OSError, ValueError, AttributeError):
        places += _itself(os.fstat(sys.stdout.fileno()))
    return places


def _places(path: Path | None) -> list[object]:
    """What a path, or standard input, can be known by: its full name and, if it is there, itself.

    Two names may be one file, as links are.
    """
    places: list[object] = [] if path is None else [path.resolve()]
    with contextlib.suppress(OSError):
        places += _itself(os.fstat(0) if path is None else path.stat())
    return places


def _itself(found: os.stat_result) -> list[object]:
    return [(found.st_dev, found.st_ino)] if stat.S_ISREG(found.st_mode) else []


class Outputs:
    """The files that appear at the end of a run: results and, if asked for, those about it.

    All are begun before anything is sent, so that what stands in their way is known by then.

    Args:
        options: Where they go.
        source: The open source file, which says how rejects are written.
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
        """What writes them; ``carry`` are positions of columns to copy into the results."""
        source = self._source
        recorder = Recorder(self._results.stream, source.header, carry)
        if self._rejects is not None:
            recorder.keep_rejects(self._rejects.stream, source.delimiter, source.sep_line)
        return recorder

    def commit(self, failure: OSError | None) -> None:
        """Give them their names.

        Args:
            failure: Why they could not be written, if so.

        Raises:
            StoppedError: They cannot be written whole; what stood there is untouched.
        """
        if failure is not None:
            self._results.fail(failure)
        self._results.commit()
        if self._rejects is not None:
            self._rejects.commit()

    def write_about(
        self, summary: Summary, report: Callable[[Summary], str] | None = None
    ) -> Summary:
        """Write the files about the run, the last of it, so that nothing else waits for them.

        Args:
            summary: Its figures.
            report: Makes the page about it.

        Returns:
            The figures, with what could not be written.
        """
        for option, text in (("--report", report), ("--summary", Summary.as_json)):
            file = self._about.get(option)
            if file is None or text is None:
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
