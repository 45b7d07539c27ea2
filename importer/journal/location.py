"""Where the journal of a destination is kept.

Source: docs/journal.md, "Where it is".
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from importer.errors import UsageError
from importer.files import sync_directory

_REMEDY: Final = (
    "Name a file with --journal, or a folder in the environment variable STATE_DIRECTORY. "
    "Nothing was sent."
)
_LOOPBACK: Final = "loopback"  # the name that all loopback addresses share in a destination
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")


def default_path(
    destination: str,
    shard: tuple[int, int] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Path:
    """Return the path of the journal that all runs to the host of a destination share.

    Args:
        destination: Name of the destination, ``scheme://host:port/path``. All ports and paths of
            a host share one file, which keeps them apart by this name.
        shard: Number of the shard and of all shards; None for a run without ``--shard``.
        environment: Environment variables.

    Raises:
        UsageError: There is no state folder, because the user has no home.
    """
    host, _, _ = urlsplit(destination).netloc.rpartition(":")
    name = "127.0.0.1" if host == _LOOPBACK else _UNSAFE.sub("_", host).lstrip(".") or "_"
    part = "" if shard is None else f".{shard[0]}-of-{shard[1]}"
    return _state_folder(environment) / f"{name}{part}.journal"


def existing_journals(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the journals in the state folder, by name.

    Raises:
        UsageError: There is no state folder, because the user has no home.
    """
    return sorted(_state_folder(environment).glob("*.journal"))


def _state_folder(environment: Mapping[str, str]) -> Path:
    # Set by systemd, which separates several folders by colons.
    first, *_ = environment.get("STATE_DIRECTORY", "").split(":")
    if first:
        return Path(first).absolute()
    from platformdirs import user_state_path  # noqa: PLC0415 - most runs need it, --help does not

    try:
        folder = user_state_path("import-contacts", appauthor=False)
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():  # "~" of a user who has no entry in passwd
        raise UsageError(f"This user has no home folder for the journal. {_REMEDY}")
    return folder


def create_folder(path: Path) -> None:
    """Create the folder of a journal for its owner alone, unless there is one.

    Args:
        path: The journal file.

    Raises:
        UsageError: The folder cannot be created or written to.
    """
    folder = path.parent
    try:
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        for one in reversed(missing):
            one.mkdir(mode=0o700, exist_ok=True)
            one.chmod(0o700)  # whatever the umask
            sync_directory(one.parent)
        if not folder.is_dir():
            raise NotADirectoryError(0, "it is not a folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(0, "it cannot be written to")
    except OSError as error:
        raise UsageError(
            f"The journal's folder {folder} cannot be used: {error.strerror}. {_REMEDY}"
        ) from error
