"""A headless browser, where one is installed, to test pages as users see them."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_QUIETLY: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip
PATH: Final = next((path for name in _NAMES if (path := shutil.which(name))), None)


@dataclass(frozen=True)
class Browser:
    """A browser with an empty profile.

    Attributes:
        directory: Where it may write.
    """

    directory: Path

    def dom(self, page: Path, *flags: str) -> str:
        """Return the document after its layout."""
        return self._run(page, "--dump-dom", *flags).decode()

    def pdf(self, page: Path) -> bytes:
        """Return the page as PDF."""
        target = self.directory / "page.pdf"
        self._run(page, "--no-pdf-header-footer", f"--print-to-pdf={target}")
        return target.read_bytes()

    def picture(self, page: Path, *flags: str) -> bytes:
        """Return a screenshot as PNG."""
        target = self.directory / "page.png"
        self._run(page, f"--screenshot={target}", *flags)
        return target.read_bytes()

    def _run(self, page: Path, *flags: str) -> bytes:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            done = subprocess.run(
                [str(PATH), *_QUIETLY, f"--user-data-dir={profile}", *flags, page.as_uri()],
                capture_output=True,
                check=True,
                timeout=120,
                env={**os.environ, "HOME": str(self.directory)},
            )
        return done.stdout
