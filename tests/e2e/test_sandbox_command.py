"""``contacts-sandbox`` as a process: how it starts, refuses to start, and ends."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sandboxes import CHILD, COMMAND, TIMEOUT_SECONDS, running_process

from importer.sandbox.cli import main


def refused(*arguments: str) -> str:
    """Run the command, which must exit with a usage error; return its message."""
    done = CliRunner().invoke(main, ["--port", "0", *arguments])
    assert (done.exit_code, done.stdout) == (2, "")
    assert isinstance(done.exception, SystemExit)
    return " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0 is not a loopback address."),  # noqa: S104 - refused
        (["--host", "example.com"], "--host example.com is not a loopback address."),
        (["--faults", "missing.toml"], "Cannot read the faults file missing.toml"),
        (["--orders", "missing.csv"], "Cannot read the orders file missing.csv"),
        (["--data", "missing/contacts.db"], "Cannot open the data file missing/contacts.db"),
        (["--fault", "action=dorp"], "'dorp' is not a valid action; did you mean drop?"),
        (["--latency", "slow"], "--latency: latency must be 0.05 (seconds)"),
        (["--rate-limit", "0"], "--rate-limit"),
        (["--port", "70000"], "--port"),
    ],
)
def test_invalid_option_is_a_usage_error(arguments: list[str], complaint: str) -> None:
    """The command exits with 2 and one error that names the remedy."""
    assert complaint in refused(*arguments)


def test_port_in_use_is_a_usage_error() -> None:
    """A port that another program uses is a usage error that names the remedy."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Cannot listen on 127.0.0.1 port {port}" in refused("--port", str(port))


@pytest.mark.parametrize("library", ["aiohttp", "jsonschema_rs"])
def test_missing_extra_names_the_command_to_install_it(library: str) -> None:
    """Without the extra, the command exits with 2 and the command that installs it."""
    code = (
        f"import sys; sys.modules[{library!r}] = None; "
        "from importer.sandbox.cli import main; main([])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert f"The sandbox needs {library}" in done.stderr
    assert "pip install 'import-contacts[sandbox]'" in " ".join(done.stderr.split())


def test_help_needs_no_server() -> None:
    """--help works without the extra."""
    code = (
        "import sys; from importer.sandbox.cli import main; "
        "main(['--help'], standalone_mode=False); "
        "assert not {'aiohttp', 'jsonschema_rs', 'requests', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_greeting_names_url_and_credentials() -> None:
    """Without --ready-json the command prints URL, credentials and an example."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert lines[0].startswith("The sandbox serves the Order REST API at http://127.0.0.1:")
    assert "client key   sandbox" in lines[2]
    assert "curl -u sandbox:sandbox" in rest
    assert process.returncode == 0


def test_greeting_uses_an_order_that_exists(tmp_path: Path) -> None:
    """With --orders, it is the first one in the file."""
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
def test_signal_ends_it_without_output(number: signal.Signals) -> None:
    """SIGTERM, SIGINT and SIGHUP end the sandbox with status 0 and no output."""
    with subprocess.Popen(
        [*COMMAND, "--ready-json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.send_signal(number)
        _, complaints = process.communicate(timeout=TIMEOUT_SECONDS)
    assert list(ready) == ["url", "clientKey", "apiToken"]
    assert (process.returncode, complaints) == (0, "")


def test_child_ignores_ctrl_c_and_ends_with_its_parent() -> None:
    """With --until-stdin-closes, SIGINT and SIGHUP are ignored, as the parent handles them."""
    with running_process() as sandbox:
        for number in (signal.SIGINT, signal.SIGHUP):
            sandbox.process.send_signal(number)
        assert sandbox.create().status_code == 201


def test_killed_parent_leaves_no_child() -> None:
    """When the parent is killed by SIGKILL, the sandbox that it started ends."""
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
        # The child has the same pipe, so its end is reached only when the child has ended too.
        assert parent.stdout.read() == b""


def test_waiting_request_does_not_delay_the_end() -> None:
    """The sandbox ends although a request is kept waiting for an hour."""
    with running_process("--fault", "action=silence,seconds=3600") as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as wire:
            wire.sendall(
                b"GET /v2.1/orders HTTP/1.1\r\nHost: localhost\r\n"
                b"Authorization: Basic c2FuZGJveDpzYW5kYm94\r\n\r\n"
            )
            assert sandbox.process.stdin is not None
            sandbox.process.stdin.close()
            assert sandbox.process.wait(TIMEOUT_SECONDS) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_start_looks_up_no_name(host: str) -> None:
    """The sandbox starts without DNS: it listens without resolving a name."""
    code = (
        "import sys\n"
        "def refuse(event, arguments):\n"
        "    assert event not in {'socket.getaddrinfo', 'socket.gethostbyname',\n"
        "        'socket.gethostbyaddr', 'socket.getnameinfo', 'socket.gethostname'}, event\n"
        "sys.addaudithook(refuse)\n"
        "from importer.sandbox.cli import main; main()\n"
    )
    command = (sys.executable, "-c", code, *CHILD[3:], "--host", host)
    with running_process(command=command) as sandbox:
        assert sandbox.process.poll() is None


def test_child_that_cannot_start_reports_one_line_of_json() -> None:
    """With --ready-json the reason is JSON too, and nothing is written to standard error."""
    command = [*CHILD, "--fault", "action=dorp"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert "did you mean drop?" in json.loads(done.stdout)["error"]
