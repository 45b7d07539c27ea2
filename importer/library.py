"""``import-contacts`` from Python: the same options, the summary in return.

Source: docs/python.md.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Unpack

from importer.api import Credentials
from importer.errors import UsageError
from importer.given import from_call, nearest
from importer.options import Origin, declared
from importer.pipeline import import_file
from importer.reporting import Summary
from importer.resolve import import_run
from importer.settings import ImportOptions, ImportSettings, StrPath

__all__ = ["ImportOptions", "import_contacts"]

_CREDENTIALS: Final = {
    "client_key": "The client key, instead of a file or the environment.",
    "api_token": "The API token that belongs to it.",
}
_OPTIONS: Final = {
    keyword: one.help
    for keyword, one in declared(ImportSettings).items()
    if Origin.CALL in one.sources
} | _CREDENTIALS

ImportOptions.__doc__ = f"{ImportOptions.__doc__}\n\n    Attributes:\n" + "".join(
    f"        {keyword}: {text}\n" for keyword, text in _OPTIONS.items()
)


def import_contacts(source: StrPath, **options: Unpack[ImportOptions]) -> Summary:
    """Import the order contacts of a CSV file into Sitecore CDP, each exactly once.

    It reads no ``IMPORT_CONTACTS_`` variable, leaves signals and logging alone (the events go
    to the logger ``importer``), and may be called in any thread. After a KeyboardInterrupt, the
    next call settles the requests that were in flight before it sends anything.

    Args:
        source: The source file, ``-`` for standard input.
        options: See :class:`ImportOptions`. They are those of the command, with ``_`` for
            ``-``; ``columns`` is ``--map`` and ``identifiers`` is ``--identifier``, as in its
            configuration file. Without ``client_key`` and ``api_token`` or
            ``credentials_file``, the credentials come from ``SITECORE_CDP_CLIENT_KEY`` and
            ``SITECORE_CDP_API_TOKEN``.

    Returns:
        The figures of the run. A run that has begun returns them whatever came of its rows:
        ``exit_status`` says whether all are done (0), some are not (1), ``strict`` found an
        invalid row (3), the credentials were refused (4) or the run was stopped midway (5).

    Raises:
        UsageError: An option or a credential is missing or wrong; nothing was sent.
        InputError: The source file cannot be read as a whole; nothing was sent.
        JournalLockedError: Another run holds the journal.
        StoppedError: The results cannot be written; what was sent is in the journal.
        TypeError: There is no such option.
    """
    given: dict[str, object] = dict(options)
    _check_names(given)
    credentials = _credentials(given.pop("client_key", None), given.pop("api_token", None))
    if credentials is not None and given.get("credentials_file") is not None:
        raise UsageError("Give client_key and api_token, or credentials_file, but not both.")
    given.setdefault("progress", False)
    with ExitStack() as stack:
        run, credentials = import_run(
            from_call(ImportSettings, Path(source), given), stack, credentials
        )
        return import_file(run, credentials, has_process=False)


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if name not in _OPTIONS:
            near = nearest(name, [one.replace("_", "-") for one in _OPTIONS])
            hint = f"; did you mean {near.replace('-', '_')}?" if near else ""
            raise TypeError(f"import_contacts() has no option {name!r}{hint}")


def _credentials(client_key: object, api_token: object) -> Credentials | None:
    if client_key is None and api_token is None:
        return None
    if not (isinstance(client_key, str) and isinstance(api_token, str)):
        raise UsageError("Give client_key and api_token together, both as strings.")
    return Credentials(client_key, api_token)
