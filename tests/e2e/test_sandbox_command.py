"""``contacts-sandbox`` as a process: how it starts, refuses to start, and ends."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sandboxes import COMMAND, PATIENCE_SECONDS, running


def refused(*arguments: str) -> str:
    """Run the command, which must end with a usage error; return what it says."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0 is no loopback address."),  # noqa: S104 - refused
        (["--host", "example.com"], "--host example.com is no loopback address."),
        (["--faults", "missing.toml"], "Cannot read the faults file missing.toml"),
        (["--orders", "missing.csv"], "Cannot read the orders file missing.csv"),
        (["--data", "missing/contacts.db"], "Cannot open the data file missing/contacts.db"),
        (["--fault", "action=dorp"], "'dorp' is no action; did you mean drop?"),
        (["--latency", "slow"], "--latency: latency must be 0.05 (seconds)"),
        (["--rate-limit", "0"], "--rate-limit"),
        (["--port", "70000"], "--port"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(arguments: list[str], complaint: str) -> None:
    """The command ends with 2 and one error that says what to change."""
    assert complaint in refused(*arguments)


def test_a_port_that_is_taken_is_told() -> None:
    """A port that another program holds is a usage error that names the remedy."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Cannot listen on 127.0.0.1 port {port}" in refused("--port", str(port))


@pytest.mark.parametrize("library", ["aiohttp", "jsonschema_rs"])
def test_without_the_extra_it_says_what_to_install(library: str) -> None:
    """Where the extra is not installed, the command ends with 2 and the command that helps."""
    code = (
        f"import sys; sys.modules[{library!r}] = None; "
        "from importer.sandbox.cli import main; main([])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert f"The sandbox needs {library}" in done.stderr
    assert "pip install 'import-contacts[sandbox]'" in " ".join(done.stderr.split())


def test_help_needs_no_server() -> None:
    """The command can be imported and asked for help without the extra."""
    code = (
        "import sys; from importer.sandbox.cli import main; "
        "main(['--help'], standalone_mode=False); "
        "assert not {'aiohttp', 'jsonschema_rs', 'requests', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_people_are_told_where_it_is() -> None:
    """Without --ready-json the command greets with URL, credentials and an example."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert lines[0].startswith("The sandbox serves the Order REST API at http://127.0.0.1:")
    assert "client key   sandbox" in lines[2]
    assert "curl -u sandbox:sandbox" in rest
    assert process.returncode == 0


def test_the_example_is_about_an_order_that_exists(tmp_path: Path) -> None:
    """With --orders, it is the first of the file."""
    ref = "00000000-0000-4000-8000-000000000001"
    orders = tmp_path / "orders.csv"
    orders.write_text(f"orderRef,referenceId\n{ref},WEB-1\n")
    command = [*COMMAND, "--orders", str(orders)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert f"/v2.1/orders/{ref}/contacts\n" in first + process.stdout.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_quietly(number: signal.Signals) -> None:
    """SIGTERM, SIGINT and SIGHUP end the sandbox with 0 and without a word."""
    with subprocess.Popen(
        [*COMMAND, "--ready-json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.send_signal(number)
        _, complaints = process.communicate(timeout=PATIENCE_SECONDS)
    assert list(ready) == ["url", "clientKey", "apiToken"]
    assert (process.returncode, complaints) == (0, "")


def test_a_child_outlives_ctrl_c_and_ends_with_its_parent() -> None:
    """With --until-stdin-closes SIGINT and SIGHUP, which the parent gets too, end nothing."""
    with running() as sandbox:
        for number in (signal.SIGINT, signal.SIGHUP):
            sandbox.process.send_signal(number)
        assert sandbox.create().status_code == 201


def test_a_killed_parent_leaves_nothing_behind() -> None:
    """When the parent dies by SIGKILL, the sandbox that it started ends by itself."""
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({[*COMMAND, '--ready-json', '--until-stdin-closes']!r},\n"
        "    stdin=subprocess.PIPE)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline()
        parent.kill()
        # The child holds the same pipe: it is at its end only when the child is gone as well.
        assert parent.stdout.read() == b""


def test_a_silence_does_not_hold_up_the_end() -> None:
    """A request that is kept waiting for an hour does not keep the sandbox from ending."""
    with running("--fault", "action=silence,seconds=3600") as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as wire:
            wire.sendall(
                b"GET /v2.1/orders HTTP/1.1\r\nHost: localhost\r\n"
                b"Authorization: Basic c2FuZGJveDpzYW5kYm94\r\n\r\n"
            )
            assert sandbox.process.stdin is not None
            sandbox.process.stdin.close()
            assert sandbox.process.wait(PATIENCE_SECONDS) == 0
