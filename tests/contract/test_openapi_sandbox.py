"""Check the sandbox against the OpenAPI document that it serves."""

import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate
from sandboxes import running


def test_the_served_document_is_valid() -> None:
    """What /openapi.json serves is OpenAPI 3.1 and needs no credentials."""
    with running() as sandbox:
        answer = sandbox.ask("GET", "/openapi.json", auth=None)
        document = answer.json()
        assert document["servers"][0]["url"] == sandbox.url
    validate(document)


@pytest.mark.slow
def test_schemathesis_finds_no_difference(tmp_path: Path) -> None:
    """What the document allows is accepted, what it forbids is refused as documented."""
    with running() as sandbox:
        checked = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "run"),
                *("--auth", "sandbox:sandbox", "--max-examples", "25", "--seed", "1"),
                *("--no-color", f"{sandbox.url}/openapi.json"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Tested: 7" in checked.stdout
