"""Work that a forked process does while this one goes on with what it has done already.

Only for work that changes nothing outside, as reading and judging do. The other process ends
with this one, however that ends: nobody is left to take what it makes.
"""

import contextlib
import ctypes
import mmap
import os
import pickle
import signal
import warnings
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Generic, NoReturn, Self, TypeVar

from importer._version import __version__
from importer.errors import ImportContactsError, StoppedError, kind_and_place

_LEAST_BYTES: Final = 4 * 1024 * 1024  # a file of one batch would take 0.02 s longer
_PR_SET_PDEATHSIG: Final = 1  # of <sys/prctl.h>
_FOR_THE_RUN: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

T = TypeVar("T")
Work = Callable[[Callable[[], bool]], Generator[T, None, str]]


def pays(size: int | None) -> bool:
    """Whether the other process would have a core to itself, and enough to do.

    Args:
        size: Bytes of the source file; None for a stream, at which the other process might wait
            when this one is gone.
    """
    if size is None or size < _LEAST_BYTES or not hasattr(os, "sched_getaffinity"):
        return False
    with contextlib.suppress(OSError):  # a sandbox of the system may forbid to ask
        return len(os.sched_getaffinity(0)) > 1
    return False


@dataclass(frozen=True, slots=True)
class _End:
    result: str


class Aside(Generic[T]):
    """A generator that runs in a process of its own while this is entered.

    It must be entered in the main thread, before there are others.

    Args:
        work: Makes the generator; is given what tells whether somebody waits for its end.
    """

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._hurry = mmap.mmap(-1, 1)  # one byte that both processes see

    def __enter__(self) -> Self:
        reader, writer = os.pipe()
        # A parent that ignores SIGCHLD hands that on. The system would then forget the other's
        # number at its end, and __exit__ could end whoever has it next.
        self._on_end_of_child = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        parent = os.getpid()
        # Ctrl-C and a service manager's signals reach both. The other keeps them blocked.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_RUN)
        try:
            self._pid = _fork()
            if self._pid == 0:
                os.close(reader)
                self._be_the_other(writer, parent)
        except OSError:
            os.close(reader)
            signal.signal(signal.SIGCHLD, self._on_end_of_child)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(writer)
        self._stream = os.fdopen(reader, "rb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()
        os.kill(self._pid, signal.SIGKILL)  # it may be in the middle of something
        os.waitpid(self._pid, 0)
        signal.signal(signal.SIGCHLD, self._on_end_of_child)
        self._hurry.close()

    def items(self, is_hurried: Callable[[], bool]) -> Generator[T, None, str]:
        """Yield what the work yields, and return what it returns.

        Args:
            is_hurried: Whether somebody waits for the end; passed on to the work.

        Raises:
            ImportContactsError: As the work; any other error of it comes as its kind and place.
            StoppedError: The other process was killed.
        """
        while True:
            self._hurry[0] = is_hurried()
            try:
                made = pickle.load(self._stream)  # noqa: S301 - our own other half has written it
            except (EOFError, pickle.UnpicklingError):
                raise StoppedError(
                    "The process that reads the source file has ended by itself or was killed, "
                    "perhaps for want of memory. Nothing was sent; run the same command again."
                ) from None
            if isinstance(made, ImportContactsError):
                raise made
            if isinstance(made, _End):
                return made.result
            yield made

    def _be_the_other(self, writer: int, parent: int) -> NoReturn:
        try:
            _end_with(parent)
            with os.fdopen(writer, "wb") as stream:
                for made in self._made():
                    pickle.dump(made, stream)
                    stream.flush()
        finally:
            # Nothing that the other process has open may be flushed or removed twice.
            os._exit(0)

    def _made(self) -> Iterator[T | _End | ImportContactsError]:
        try:
            result = yield from self._work(lambda: self._hurry[0] != 0)
            yield _End(result)
        except ImportContactsError as error:
            yield error
        except Exception as error:  # noqa: BLE001 - its own text could show what a cell holds
            yield StoppedError(
                f"A fault of import-contacts {__version__}: {kind_and_place(error)}. Please report "
                "it. Nothing was sent."
            )


def _end_with(parent: int) -> None:
    """Have the system end this process when its parent has ended.

    Without that it would learn so when it next hands something over, seconds later perhaps, and
    whoever reads the output of the run would wait for it.
    """
    with contextlib.suppress(OSError, AttributeError):  # then it learns so later
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns when there are threads, be it those of numpy, which hold nothing.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
