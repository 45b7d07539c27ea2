"""Fixtures and settings of all tests: a home for each, and no files left in the project."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).parents[1]

# No deadline: other programs may slow down this machine. No shrinking: it has a limit of 300 s of
# its own, and failing examples are small anyway. ``--hypothesis-profile thorough`` tries more.
for _name, _examples in (("quick", 25), ("thorough", 200)):
    settings.register_profile(
        _name,
        deadline=None,
        max_examples=_examples,
        suppress_health_check=[HealthCheck.too_slow],
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
settings.load_profile("quick")


def _set_home(directory: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("HOME", str(directory))
    patch.setenv("XDG_STATE_HOME", str(directory / "state"))
    for name in ("STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"):
        patch.delenv(name, raising=False)
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith(("IMPORT_CONTACTS_", "SITECORE_")):
            patch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _session_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The home of fixtures that several tests share, and of the processes they start."""
    with pytest.MonkeyPatch.context() as patch:
        _set_home(tmp_path_factory.mktemp("home"), patch)
        yield


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home for each test, so that no two share a journal in the state folder of the user."""
    _set_home(tmp_path_factory.mktemp("home"), monkeypatch)


@pytest.fixture(scope="session", autouse=True)
def _project_unchanged() -> Iterator[None]:
    """No test may leave a file in the project."""

    def files() -> set[Path]:
        folders = (ROOT, ROOT / "sample_data", ROOT / "tests")
        return {path for folder in folders for path in folder.iterdir() if not is_cache(path)}

    def is_cache(path: Path) -> bool:
        return path.name.startswith(".") or path.name == "__pycache__"

    before = files()
    yield
    assert files() - before == set()
