"""Options from a configuration file, the environment and arguments, and which one counts."""

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from importer.cli.environment import check_environment, variable
from importer.cli.given import Given
from importer.cli.main import command
from importer.cli.tables import table_options
from importer.errors import UsageError
from importer.settings import MaxErrors

Config = Callable[[str], Path]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Writes a configuration file."""

    def write(text: str) -> Path:
        path = tmp_path / "import.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def given(*arguments: object) -> Given:
    """What arguments say, with the environment of the test."""
    with command.make_context("import-contacts", ["contacts.csv", *map(str, arguments)]) as ctx:
        return Given.of(ctx)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        pytest.param("concurrency = 3", "concurrency", 3, id="number"),
        pytest.param("rate = 2.5", "rate", 2.5, id="fraction"),
        pytest.param("timeout = 10", "timeout", 10.0, id="whole-seconds"),
        pytest.param("strict = true", "strict", True, id="switch"),
        pytest.param("progress = false", "progress", False, id="switched-off"),
        pytest.param(
            'max-errors = "2.5%"', "max_errors", MaxErrors(2.5, is_share=True), id="share"
        ),
        pytest.param("max-errors = 7", "max_errors", MaxErrors(7), id="rows"),
        pytest.param("max_errors = 7", "max_errors", MaxErrors(7), id="underscore"),
        pytest.param('delimiter = "\\t"', "delimiter", "\t", id="tab"),
        pytest.param(
            'require = ["firstName", "city"]', "require", ("firstName", "city"), id="list"
        ),
        pytest.param('map = ["city=Town, old"]', "map", {"city": ("Town, old",)}, id="pair"),
        pytest.param('[columns]\ncity = "T"', "map", {"city": ("T",)}, id="columns"),
        pytest.param(
            '[columns]\nidentifiers.id = "No"', "map", {"identifiers.id": ("No",)}, id="dotted"
        ),
        pytest.param('[columns]\nstreet = ["A", "B"]', "map", {"street": ("A", "B")}, id="several"),
        pytest.param('[identifiers]\nCRM = "No"', "identifier", {"CRM": ("No",)}, id="identifiers"),
        pytest.param("\ufefflimit = 1", "limit", 1, id="byte-order-mark"),
    ],
)
def test_a_file_can_say_it(config: Config, text: str, name: str, value: object) -> None:
    """Each kind of option in the form that TOML has for it."""
    assert given("--config", config(text))[name] == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            'concurrency = "8"', "concurrency must be a whole number, not a text", id="text"
        ),
        pytest.param("concurrency = true", "must be a whole number, not true or false", id="true"),
        pytest.param("concurrency = 0", "concurrency: 0 is not in the range", id="range"),
        pytest.param("timeout = nan", "timeout: nan is not", id="nan"),
        pytest.param("rate = inf", "rate: inf is not", id="infinity"),
        pytest.param("strict = 1", "strict must be true or false, not a number", id="switch"),
        pytest.param('carry = "a"', "carry must be a list of texts, not a text", id="no-list"),
        pytest.param("carry = [1]", "carry must be a list of texts", id="list-of-numbers"),
        pytest.param('region = "mars"', "region: 'mars' is not one of", id="choice"),
        pytest.param("max-errors = 2.5", "a whole number or a text such as", id="max-errors"),
        pytest.param("out = 5", "out must be a text, not a number", id="path"),
        pytest.param("max-erors = 5", 'no option "max-erors"; did you mean max-errors?', id="typo"),
        pytest.param('[colums]\na="b"', "did you mean [columns]?", id="table-typo"),
        pytest.param('[identifers]\na="b"', "did you mean [identifiers]?", id="table-like-option"),
        pytest.param("limit = 2.0", "a whole number, not a decimal number", id="decimal"),
        pytest.param('columns = "x"', "[columns] must be a table", id="columns-no-table"),
        pytest.param(
            "[columns]\ncity = 5", "[columns] city must be the name of a column", id="no-column"
        ),
        pytest.param('config = "x"', "cannot name another", id="config-in-config"),
        pytest.param("max-errors = 1\nmax_errors = 2", "max-errors is there twice", id="twice"),
        pytest.param("limit = 1\nlimit = 2\nrate = 1", "line 2", id="twice-alike"),
        pytest.param("limit == 1", "line 1", id="no-toml"),
        pytest.param('base-url = ""', "base-url: it is blank", id="blank"),
        pytest.param('journal = "-"', "journal: it must be a file", id="stream"),
        pytest.param("help = true", 'no option "help"', id="help"),
    ],
)
def test_what_a_file_gets_wrong_is_told(config: Config, text: str, says: str) -> None:
    """With the file, the name and what belongs there."""
    with pytest.raises(UsageError) as caught:
        given("--config", config(text))
    assert says in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(config: Config) -> None:
    """One look mends the file."""
    with pytest.raises(UsageError) as caught:
        given("--config", config('limit = "a"\nratee = 1\n[columns]\ncity = 1\n'))
    for word in ("import.toml", "limit", "rate?", "city"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'client_key = "S3"',
        'api-token = "S3"',
        '[credentials]\nclient_key = "S3"',
        'password = "S3"',
    ],
)
def test_credentials_in_a_configuration_file_are_refused(config: Config, text: str) -> None:
    """With the place where they belong, and without a word of what they are."""
    with pytest.raises(UsageError) as caught:
        given("--config", config(text))
    assert "S3" not in str(caught.value)
    assert "credentials-file" in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff = 1"])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    """By its name."""
    path = tmp_path / "absent.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"absent\.toml"):
        given("--config", path)


def test_an_argument_beats_the_environment_and_that_beats_the_file(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And all of them beat the default."""
    file = config("concurrency = 2\nattempts = 2\nlimit = 2")
    monkeypatch.setenv("IMPORT_CONTACTS_CONFIG", str(file))
    monkeypatch.setenv("IMPORT_CONTACTS_CONCURRENCY", "3")
    monkeypatch.setenv("IMPORT_CONTACTS_ATTEMPTS", "3")
    found = given("--concurrency", 4)
    assert [found[name] for name in ("concurrency", "attempts", "limit", "timeout")] == [
        4,
        3,
        2,
        30,
    ]
    assert [found.origins[name] for name in ("concurrency", "attempts", "limit", "timeout")] == [
        "command line", "environment", "config file", "default",
    ]  # fmt: skip


def test_an_argument_for_one_column_leaves_the_file_s_others(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The most specific word counts for each field on its own."""
    monkeypatch.setenv("IMPORT_CONTACTS_IDENTIFIER", "ERP=E")
    file = config('[columns]\ncity = "Town"\nstate = "Land"\n[identifiers]\nCRM = "C"')
    found = given("--config", file, "--map", "city=City")
    assert found["map"] == {"city": ("City",), "state": ("Land",)}
    assert found["identifier"] == {"CRM": ("C",), "ERP": ("E",)}


def test_one_field_twice_is_kept_twice(config: Config) -> None:
    """A list field may have many columns; the mapping knows which fields may not."""
    assert given("--map", "street=A", "--map", "street=B")["map"] == {"street": ("A", "B")}
    found = given("--config", config('map = ["street=A"]\n[columns]\nstreet = "B"'))
    assert found["map"] == {"street": ("A", "B")}


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        pytest.param([], "region", id="file"),
        pytest.param(["--sandbox"], "sandbox", id="argument"),
        pytest.param(["--base-url", "https://example.com"], "base_url", id="other-argument"),
    ],
)
def test_a_destination_on_the_command_line_beats_that_of_the_file(
    config: Config, arguments: list[str], chosen: str
) -> None:
    """So that the file of every night can be rehearsed with."""
    found = given("--config", config('region = "eu"'), *arguments)
    assert found.strongest(("region", "base_url", "sandbox"), "one only") == chosen


def test_two_destinations_of_one_origin_are_an_error(config: Config) -> None:
    """Nobody can know which one is meant."""
    found = given("--config", config('region = "eu"\nsandbox = true'))
    with pytest.raises(UsageError, match="one only"):
        found.strongest(("region", "base_url", "sandbox"), "one only")


ENVIRONMENT = {
    "out": ("o.csv", Path("o.csv")),
    "rejects": ("r.csv", Path("r.csv")),
    "report": ("r.html", Path("r.html")),
    "summary": ("s.json", Path("s.json")),
    "region": ("jp", "jp"),
    "base-url": ("https://example.com", "https://example.com"),
    "sandbox": ("1", True),
    "sandbox-faults": ("f.toml", Path("f.toml")),
    "credentials-file": ("c.toml", Path("c.toml")),
    "dry-run": ("true", True),
    "strict": ("yes", True),
    "limit": ("3", 3),
    "max-errors": ("2%", MaxErrors(2, is_share=True)),
    "journal": ("j", Path("j")),
    "fresh": ("on", True),
    "new-client-key": ("yes", True),
    "map": ("city=Home Town; state=Land", {"city": ("Home Town",), "state": ("Land",)}),
    "identifier": ("CRM=No\nERP=Id", {"CRM": ("No",), "ERP": ("Id",)}),
    "require": ("firstName, lastName city", ("firstName", "lastName", "city")),
    "carry": ("First Name;No, old", ("First Name", "No, old")),
    "delimiter": ("tab", "\t"),
    "encoding": ("cp1252", "cp1252"),
    "list-separator": ("/", "/"),
    "date-format": ("%d.%m.%Y", "%d.%m.%Y"),
    "phone-region": ("IE", "IE"),
    "concurrency": ("2", 2),
    "rate": ("0.5", 0.5),
    "timeout": ("9", 9.0),
    "attempts": ("2", 2),
    "if-exists": ("skip", "skip"),
    "log-format": ("json", "json"),
    "quiet": ("true", True),
    "verbose": ("true", True),
    "progress": ("false", False),
}


@pytest.mark.parametrize(("name", "text", "value"), [(n, *tv) for n, tv in ENVIRONMENT.items()])
def test_every_option_can_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    """By its own name; those that are repeatable hold several, and blank is as if unset."""
    key = "IMPORT_CONTACTS_" + name.upper().replace("-", "_")
    monkeypatch.setenv(key, text)
    assert given()[name.replace("-", "_")] == value
    monkeypatch.setenv(key, "")
    assert given().origins[name.replace("-", "_")] == "default"


def test_the_table_above_holds_every_option() -> None:
    """A new option is tested, too; and is looked for where it is documented."""
    assert set(ENVIRONMENT) == set(table_options(command))
    for name, option in table_options(command).items():
        assert variable(option) == "IMPORT_CONTACTS_" + name.upper().replace("-", "_")


def test_unknown_variables_are_told_with_the_nearest_name() -> None:
    """A typing error in a crontab is not passed over; the names of Kubernetes are."""
    names = [
        "IMPORT_CONTACTS_MAX_ERROR",
        "IMPORT_CONTACTS_API_TOKEN",
        "IMPORT_CONTACTS_SERVICE_HOST",
        "IMPORT_CONTACTS_PORT",
        "IMPORT_CONTACTS_PORT_80_TCP_ADDR",
        "IMPORT_CONTACTS_CONFIG",
        "HOME",
    ]
    with pytest.raises(UsageError) as caught:
        check_environment(names, command)
    text = str(caught.value)
    assert "did you mean max-errors?" in text
    assert "SITECORE_CDP_API_TOKEN" in text
    assert "SERVICE" not in text
    assert "PORT_80" not in text
    check_environment(names[2:], command)


def test_a_wrong_argument_is_click_s_own_error() -> None:
    """Which names the option and the nearest one."""
    with pytest.raises(click.UsageError) as caught:
        given("--max-eror", "3")
    assert "--max-errors" in caught.value.format_message()
