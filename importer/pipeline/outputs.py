"""The files that a run writes, checked before anything is sent."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from importer.errors import UsageError
from importer.files import STANDARD_STREAM, AtomicFile, check_output
from importer.reading import Source
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
        places = _places(path) if path != STANDARD_STREAM else [STANDARD_STREAM]
        for place in places:
            if place in seen:
                raise UsageError(f"{option}: {path} is {seen[place]} as well; name another file.")
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


def _places(path: Path | None) -> list[object]:
    """What a path, or standard input, can be known by: its full name and, if it is there, itself.

    Two names may be one file, as links are.
    """
    places: list[object] = [] if path is None else [path.resolve()]
    with contextlib.suppress(OSError):
        found = os.fstat(0) if path is None else path.stat()
        if stat.S_ISREG(found.st_mode):
            places.append((found.st_dev, found.st_ino))
    return places


class Outputs:
    """The files that appear at the end of a run: results and, if asked for, rejects.

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


def write_whole(path: Path | None, option: str, text: Callable[[], str]) -> None:
    """Write a file about the run, if it is asked for.

    Args:
        path: The file to be; None is none.
        option: The option that named it.
        text: Makes what it shall hold.

    Raises:
        StoppedError: The file cannot be written.
    """
    if path is None:
        return
    with AtomicFile(path, option) as file:
        file.write(text())
        file.commit()
