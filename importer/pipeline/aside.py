"""A generator that runs in a forked process, ahead of the process that consumes it.

Only for work without side effects, such as reading and validating. The other process ends with
this one, however that ends, because nothing would consume its items.
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

_LEAST_BYTES: Final = 4 * 1024 * 1024  # a short file is read faster without another process
_PR_SET_PDEATHSIG: Final = 1  # of <sys/prctl.h>
_FOR_THE_RUN: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

T = TypeVar("T")
Work = Callable[[Callable[[], bool]], Generator[T, None, str]]


def pays(size: int | None) -> bool:
    """Return whether another process would have its own core and enough to do.

    Args:
        size: Bytes of the source file; None for a stream, which the other process might still
            wait for after this one has ended.
    """
    if size is None or size < _LEAST_BYTES or not hasattr(os, "sched_getaffinity"):
        return False
    with contextlib.suppress(OSError):  # not permitted in some sandboxes
        return len(os.sched_getaffinity(0)) > 1
    return False


@dataclass(frozen=True, slots=True)
class _End:
    result: str


class Aside(Generic[T]):
    """Runs a generator in another process while it is entered.

    It must be entered in the main thread, before other threads are started.

    Args:
        work: Returns the generator; its argument returns whether the run is to end soon.
    """

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._hurry = mmap.mmap(-1, 1)  # one byte shared by both processes

    def __enter__(self) -> Self:
        reader, writer = os.pipe()
        # An ignored SIGCHLD is inherited. The system would then release the child's process number
        # when it ends, and __exit__ could kill another process with the same number.
        self._on_end_of_child = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        parent = os.getpid()
        # Ctrl-C and a service manager's signals reach both; the child keeps them blocked.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_RUN)
        try:
            self._pid = _fork()
            if self._pid == 0:
                os.close(reader)
                self._run_child(writer, parent)
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
        os.kill(self._pid, signal.SIGKILL)  # it may be busy
        os.waitpid(self._pid, 0)
        signal.signal(signal.SIGCHLD, self._on_end_of_child)
        self._hurry.close()

    def items(self, is_hurried: Callable[[], bool]) -> Generator[T, None, str]:
        """Yield what the generator yields, and return what it returns.

        Args:
            is_hurried: Whether the run is to end soon; passed to the generator.

        Raises:
            ImportContactsError: The generator raised it. Of any other exception, a StoppedError
                gives the type and the place.
            StoppedError: The other process was killed.
        """
        while True:
            self._hurry[0] = is_hurried()
            try:
                message = pickle.load(self._stream)  # noqa: S301 - written by our own child
            except (EOFError, pickle.UnpicklingError):
                raise StoppedError(
                    "The process that reads the source file was killed, perhaps because memory ran "
                    "out. Nothing was sent; run the same command again."
                ) from None
            if isinstance(message, ImportContactsError):
                raise message
            if isinstance(message, _End):
                return message.result
            yield message

    def _run_child(self, writer: int, parent: int) -> NoReturn:
        try:
            _end_with(parent)
            with os.fdopen(writer, "wb") as stream:
                for message in self._messages():
                    pickle.dump(message, stream)
                    stream.flush()
        finally:
            # Nothing that the parent has open may be flushed or removed twice.
            os._exit(0)

    def _messages(self) -> Iterator[T | _End | ImportContactsError]:
        try:
            result = yield from self._work(lambda: self._hurry[0] != 0)
            yield _End(result)
        except ImportContactsError as error:
            yield error
        except Exception as error:  # noqa: BLE001 - its own text could show what a cell holds
            yield StoppedError(
                f"Internal error in import-contacts {__version__}: {kind_and_place(error)}. "
                "Nothing was sent. Please report this."
            )


def _end_with(parent: int) -> None:
    """Have the system kill this process when its parent ends.

    Otherwise it would notice only when it next writes an item, perhaps seconds later, and keep
    the output streams of the run open until then.
    """
    with contextlib.suppress(OSError, AttributeError):  # then it notices later
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns if there are threads, such as those of numpy, which hold no locks.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
