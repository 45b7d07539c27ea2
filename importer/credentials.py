"""The credentials: from a file of their own, or from the environment; never from arguments.

Source: docs/options.md, credentials; docs/security.md.
"""

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from importer.errors import UsageError
from importer.given import CREDENTIAL_VARIABLES

if TYPE_CHECKING:
    from importer.api import Credentials

_KEYS: Final = ("client_key", "api_token")
_MOST_BYTES: Final = 1 << 16
_PLACE: Final = re.compile(r"at line \d+, column \d+|at end of document")


def from_environment() -> "Credentials":
    """Return the credentials of the environment.

    Raises:
        UsageError: One of them is missing or cannot be right.
    """
    from importer.api import Credentials  # noqa: PLC0415 - a dry run need not wait

    return Credentials(*(os.environ.get(name, "") for name in CREDENTIAL_VARIABLES))


def read_credentials(path: Path) -> "Credentials":
    """Read a TOML file with ``client_key`` and ``api_token``.

    Raises:
        UsageError: It cannot be read, others can read it too, or it contains something else.
            The message never quotes the file.
    """
    from importer.api import Credentials  # noqa: PLC0415 - as above

    where = f"--credentials-file: {path}"
    try:
        table = tomllib.loads(_read_private(path, where).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UsageError(f"{where} is not UTF-8; save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        raise UsageError(
            f"{where} is not valid TOML{f' ({place[0]})' if place else ''}; "
            'it must contain client_key = "…" and api_token = "…".'
        ) from None
    if set(table) - set(_KEYS):
        raise UsageError(f"{where} contains more than client_key and api_token; remove the rest.")
    for key in _KEYS:
        if not isinstance(table.get(key), str):
            raise UsageError(f'{where} must contain {key} = "…", a string in quotes.')
    try:
        return Credentials(*(table[key] for key in _KEYS))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def _read_private(path: Path, where: str) -> bytes:
    """Read a file that only its owner can read."""
    try:
        # Without O_NONBLOCK, opening a pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{where} cannot be read: {error.strerror}.") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{where} is not a regular file.")
        open_to = stat.S_IMODE(found.st_mode) & 0o077
        if open_to and not (open_to == stat.S_IRGRP and _is_from_systemd(path)):
            raise UsageError(
                f"{where} can be read by others; run: chmod 600 {path} "
                "(and renew the API token if others had access)."
            )
        return os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)


def _is_from_systemd(path: Path) -> bool:
    """Return whether systemd keeps the file for this service alone (LoadCredential=).

    It admits the service's user by an access control list, which shows as group permission;
    the directory is closed to all others.
    """
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(directory) and path.resolve().parent == Path(str(directory)).resolve()
