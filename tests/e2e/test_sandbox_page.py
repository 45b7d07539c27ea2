"""The live page in a real browser."""

import shutil
import subprocess
from pathlib import Path

import pytest
from sandboxes import TIMEOUT_SECONDS, running

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
MARKUP = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


def test_page_policy_allows_only_its_own_content() -> None:
    """The policy of the page allows no other script, style or address."""
    with running() as sandbox:
        page = sandbox.ask("GET", "/", auth=None)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.count("sha256-") == 2
    assert "http" not in page.text.replace("http-equiv", "")


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")
def test_browser_shows_stored_contacts(tmp_path: Path) -> None:
    """The page shows contacts, requests and faults, and markup in a name as text."""
    assert BROWSER is not None
    with running("--fault", "action=drop,call=list,name=lost list") as sandbox:
        sandbox.create(firstName="Nguyễn", lastName=MARKUP)
        sandbox.create(gender="m")
        with pytest.raises(OSError, match="RemoteDisconnected"):
            sandbox.ask("GET", "/v2.1/orders/2d7de9df-45a2-45ea-872c-30e45139007d/contacts")
        dom = subprocess.run(
            [
                *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
                *("--no-first-run", "--disable-background-networking", "--disable-sync"),
                *("--disable-component-update", f"--user-data-dir={tmp_path}"),
                *("--virtual-time-budget=3000", "--dump-dom", f"{sandbox.url}/"),
            ],
            capture_output=True,
            text=True,
            timeout=6 * TIMEOUT_SECONDS,
            check=True,
        ).stdout
    assert '<p id="alive" role="status" class="good">Live.</p>' in dom
    assert "<title>Order contacts sandbox</title>" in dom
    assert "Nguyễn &lt;script&gt;" in dom
    assert "<img" not in dom
    counts = dom.replace("\N{MULTIPLICATION SIGN}", "x")
    for shown in ("201 x 1", "400 x 1", "drop x 1", "lost list", "<dt>contacts</dt><dd>1</dd>"):
        assert shown in counts
