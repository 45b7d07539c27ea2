"""The files that a run writes, checked before anything is sent."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from importer.errors import UsageError
from importer.files import STANDARD_STREAM, AtomicFile, check_output
from importer.reading import Source
from importer.results import Recorder
from importer.settings import RunOptions

if TYPE_CHECKING:
    from pathlib import Path


def check_paths(options: RunOptions) -> None:
    """See to it that no file of the run is written over another.

    Raises:
        UsageError: Two options name the same file, or one cannot be written.
    """
    named = {
        "--out": options.out,
        "--rejects": options.rejects,
        "--summary": options.summary,
        "--journal": None if options.dry_run else options.journal,
    }
    seen: dict[Path, str] = {}
    if options.source.path is not None:
        seen[options.source.path.resolve()] = "the source file"
    for option, path in named.items():
        if path is None:
            continue
        place = path if path == STANDARD_STREAM else path.resolve()
        if place in seen:
            raise UsageError(f"{option}: {path} is {seen[place]} as well; name another file.")
        seen[place] = f"the file of {option}"
        check_output(path, option)


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


def write_summary(options: RunOptions, text: str) -> None:
    """Write the figures of the run, if they are asked for.

    Raises:
        StoppedError: The file cannot be written.
    """
    if options.summary is None:
        return
    with AtomicFile(options.summary, "--summary") as file:
        file.write(text)
        file.commit()
