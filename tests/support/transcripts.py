"""The console transcripts of the documentation: find, run, compare and rewrite them.

A transcript is a block of ``console``. Its lines that begin with ``$`` are commands, and the
lines below each are what it prints. All commands of a page run in one directory, in order, with
``sample_data`` in it; a sandbox stands in for ``http://127.0.0.1:8080``.

``python tests/support/transcripts.py`` rewrites those that are no longer true.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandboxes import CREDENTIALS, running

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SANDBOX: Final = "http://127.0.0.1:8080"
STATE: Final = "/home/ann/.local/state"
_BLOCK: Final = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_COMMAND: Final = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """A command of a transcript and what it prints, standard error included."""

    line: str
    output: str

    @property
    def is_slow(self) -> bool:
        """Whether it takes many seconds, and what it counts differs from run to run."""
        return "--sandbox-faults" in self.line


def commands(text: str) -> list[Command]:
    """Return the commands of all transcripts of a page, in order."""
    blocks = _BLOCK.findall(text)
    return [Command(*found) for block in blocks for found in _COMMAND.findall(block)]


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(ROOT / "sample_data", Path(name, "sample_data"))
        yield Path(name)


def run(page: list[Command]) -> list[Command]:
    """Run the commands of a page and return them with what they print.

    Raises:
        ValueError: A command would send to production.
    """
    if any("--region" in command.line for command in page):
        raise ValueError("a transcript must not name a region")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    client_key, api_token = CREDENTIALS
    environment = {
        **{name: value for name, value in os.environ.items() if "_proxy" not in name.lower()},
        "PATH": path,
        "SITECORE_CDP_CLIENT_KEY": client_key,
        "SITECORE_CDP_API_TOKEN": api_token,
    }
    environment.pop("STATE_DIRECTORY", None)
    with _directory() as directory, running() as sandbox:
        state = environment["XDG_STATE_HOME"] = str(directory / ".state")
        return [
            Command(
                command.line,
                subprocess.run(
                    ["bash", "-c", command.line.replace(SANDBOX, sandbox.url)],  # noqa: S607
                    cwd=directory,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    check=False,
                )
                .stdout.replace(sandbox.url, SANDBOX)
                .replace(state, STATE),
            )
            for command in page
        ]


def steady(command: Command) -> str:
    """Return the output without what differs from run to run."""
    text = re.sub(r"^[0-9-]{10}T[0-9:]{8}Z", "TIME", command.output, flags=re.MULTILINE)
    text = re.sub(r"in [0-9.]+ s \([0-9,]+ rows/s\)", "in TIME", text)
    text = re.sub(r"127\.0\.0\.1:[0-9]+", "HOST", text)
    if not command.is_slow:
        return text
    # Whether the API seems to be down depends on which faults come together.
    text = re.sub(r"^TIME WARNING api\..*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"[0-9,.]+", "N", text)


def rewrite(text: str) -> str:
    """Return a page with the transcripts that are true."""
    old = commands(text)
    true = iter(
        now if steady(now) != steady(then) else then
        for then, now in zip(old, run(old), strict=True)
    )

    def block(found: re.Match[str]) -> str:
        count = len(_COMMAND.findall(found[0]))
        shown = [next(true) for _ in range(count)]
        return "".join(f"$ {command.line}\n{command.output}" for command in shown)

    return _BLOCK.sub(block, text)


def main() -> None:
    """Rewrite the transcripts of the pages that are given as arguments, by default of all."""
    for page in map(Path, sys.argv[1:] or PAGES):
        text = page.read_text(encoding="utf-8")
        if commands(text) and (new := rewrite(text)) != text:
            page.write_text(new, encoding="utf-8")
            print(f"rewritten: {page}")  # noqa: T201


if __name__ == "__main__":
    main()
