"""Values from arguments, the environment, a configuration file or a call, and their precedence."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from asking import asked, asked_undo, flat

from importer.errors import UsageError
from importer.given import from_call, from_command_line, read_config
from importer.options import Flag, Option, Origin, Table, declared
from importer.settings import ImportSettings, LogFormat, MaxErrors, Region

Config = Callable[[str], Path]

OPTIONS = declared(ImportSettings)
BY_NAME = {one.name: one for one in OPTIONS.values() if Origin.CONFIG in one.sources}
DEFAULTS = flat(ImportSettings())


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Write a configuration file."""

    def write(text: str) -> Path:
        path = tmp_path / "import.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def sample(option: Option) -> object:
    """Return the value of an option in the sample configuration file."""
    return tomllib.loads(f"value = {option.sample}")["value"]


def texts(option: Option) -> list[str]:
    """Return the sample as it is typed."""
    value = sample(option)
    if isinstance(value, bool):
        return [str(value).lower()]
    return list(value) if isinstance(value, list) else [str(value)]


def arguments(option: Option) -> list[str]:
    """Return the arguments that give an option its sample value."""
    if isinstance(option.kind, Flag):
        return [option.flags[0] if sample(option) else f"--no-{option.name}"]
    return [word for text in texts(option) for word in (option.flags[0], text)]


@pytest.mark.parametrize("name", BY_NAME)
def test_option_is_read_alike_from_every_place(
    config: Config, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Arguments, the variable, the file and the call give the same value, not the default."""
    option = BY_NAME[name]
    given = asked(*arguments(option))
    value = flat(given.options)[option.keyword]
    assert value != DEFAULTS[option.keyword]
    assert given.origin(option.keyword) is Origin.COMMAND_LINE

    given = asked("--config", config(f"{name} = {option.sample}"))
    in_file = flat(given.options)[option.keyword]
    assert given.origin(option.keyword) is Origin.CONFIG
    if isinstance(value, Path):
        assert isinstance(in_file, Path)
        in_file = in_file.relative_to(config("").parent)
    assert in_file == value

    monkeypatch.setenv(option.variable, "; ".join(texts(option)))
    given = asked()
    assert flat(given.options)[option.keyword] == value
    assert given.origin(option.keyword) is Origin.ENVIRONMENT
    monkeypatch.setenv(option.variable, "")
    assert asked().origin(option.keyword) is Origin.DEFAULT

    if Origin.CALL in option.sources:
        keyword = {option.keyword: value if isinstance(option.kind, Table) else sample(option)}
        called = from_call(ImportSettings, Path("contacts.csv"), keyword)
        assert flat(called.options)[option.keyword] == value


@pytest.mark.parametrize("keyword", OPTIONS)
def test_option_is_named_after_its_field_or_its_table(keyword: str) -> None:
    """The variable and the long name are documented by one rule."""
    option = OPTIONS[keyword]
    assert option.name == keyword.replace("_", "-") or isinstance(option.kind, Table)
    assert option.variable == "IMPORT_CONTACTS_" + option.name.upper().replace("-", "_")


@pytest.mark.parametrize(
    ("text", "keyword", "value"),
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
        pytest.param('map = ["city=Town, old"]', "columns", {"city": ("Town, old",)}, id="pair"),
        pytest.param('[columns]\ncity = "T"', "columns", {"city": ("T",)}, id="columns"),
        pytest.param(
            '[columns]\nidentifiers.id = "No"', "columns", {"identifiers.id": ("No",)}, id="dotted"
        ),
        pytest.param(
            '[columns]\nstreet = ["A", "B"]', "columns", {"street": ("A", "B")}, id="several"
        ),
        pytest.param(
            '[identifiers]\nCRM = "No"', "identifiers", {"CRM": ("No",)}, id="identifiers"
        ),
        pytest.param("\ufefflimit = 1", "limit", 1, id="byte-order-mark"),
        pytest.param('region = "jp"', "region", Region.JP, id="choice"),
    ],
)
def test_file_value_is_read(config: Config, text: str, keyword: str, value: object) -> None:
    """Each kind of option has a form in TOML."""
    assert flat(asked("--config", config(text)).options)[keyword] == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            'concurrency = "8"', "concurrency must be a whole number, not a string", id="text"
        ),
        pytest.param("concurrency = true", "must be a whole number, not true or false", id="true"),
        pytest.param("concurrency = 0", "concurrency: 0 is not in the range", id="range"),
        pytest.param("timeout = nan", "timeout: nan is not", id="nan"),
        pytest.param("rate = inf", "rate: inf is not", id="infinity"),
        pytest.param("strict = 1", "strict must be true or false, not a number", id="switch"),
        pytest.param('carry = "a"', "carry must be a list of strings, not a string", id="no-list"),
        pytest.param(
            "carry = [1]", "carry must be a list of strings; it contains a number", id="numbers"
        ),
        pytest.param('map = "a=b"', "map must be a list of strings, not a string", id="no-pairs"),
        pytest.param('map = ["a"]', "map: 'a' is not of the form FIELD=COLUMN", id="no-pair"),
        pytest.param('region = "mars"', "region: 'mars' is not one of", id="choice"),
        pytest.param("max-errors = 2.5", "a whole number or a string such as", id="max-errors"),
        pytest.param("out = 5", "out must be a string, not a number", id="path"),
        pytest.param("max-erors = 5", 'no option "max-erors"; did you mean max-errors?', id="typo"),
        pytest.param('[colums]\na="b"', "did you mean [columns]?", id="table-typo"),
        pytest.param('[identifers]\na="b"', "did you mean [identifiers]?", id="table-like-option"),
        pytest.param("limit = 2.0", "a whole number, not a decimal number", id="decimal"),
        pytest.param('columns = "x"', "[columns] must be a table", id="columns-no-table"),
        pytest.param(
            "[columns]\ncity = 5", "[columns] city must be the name of a column", id="no-column"
        ),
        pytest.param("[columns]\ncity = []", "[columns] city must be the name", id="empty-list"),
        pytest.param('config = "x"', "cannot name another", id="config-in-config"),
        pytest.param("max-errors = 1\nmax_errors = 2", "max-errors is given twice", id="twice"),
        pytest.param("limit = 1\nlimit = 2\nrate = 1", "line 2", id="twice-alike"),
        pytest.param("limit == 1", "line 1", id="no-toml"),
        pytest.param('base-url = ""', "base-url: it is blank", id="blank"),
        pytest.param('journal = "-"', "journal: it must be a file", id="stream"),
        pytest.param("help = true", 'no option "help"', id="help"),
    ],
)
def test_wrong_file_is_reported(config: Config, text: str, message: str) -> None:
    """The message names the file, the option and what belongs there."""
    with pytest.raises(UsageError) as caught:
        asked("--config", config(text))
    assert message in str(caught.value)
    assert "import.toml" in str(caught.value)


def test_everything_wrong_is_reported_at_once(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One error covers the arguments, the environment and the file."""
    monkeypatch.setenv("IMPORT_CONTACTS_TIMEOUT", "soon")
    monkeypatch.setenv("IMPORT_CONTACTS_RAT", "5")
    path = config('limit = "a"\nratee = 1\n[columns]\ncity = 1\nstate = 2\n')
    with pytest.raises(UsageError) as caught:
        asked("--config", path, "--concurrency", "0", "--attempts", "x", source="")
    for word in (
        "CONTACTS_CSV: it is blank", "--concurrency: 0", "--attempts: 'x'",
        "IMPORT_CONTACTS_TIMEOUT: 'soon'", "IMPORT_CONTACTS_RAT: ", "import.toml", "limit must",
        "did you mean rate?", "[columns] city", "[columns] state",
    ):  # fmt: skip
        assert word in str(caught.value)


def test_everything_wrong_with_a_call_is_reported_at_once() -> None:
    """The messages use the names of the keyword arguments."""
    with pytest.raises(UsageError) as caught:
        from_call(
            ImportSettings,
            Path("contacts.csv"),
            {"max_errors": 2.5, "columns": {"city": 5}, "limit": -1, "rate": None},
        )
    for word in ("max_errors must be", "columns city must be", "limit: -1 is not in the range"):
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
    """The message says where they belong, and does not repeat them."""
    with pytest.raises(UsageError) as caught:
        asked("--config", config(text))
    assert "S3" not in str(caught.value)
    assert "credentials-file" in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff = 1"], ids=["missing", "not-utf-8"])
def test_unreadable_file_is_reported(tmp_path: Path, content: bytes | None) -> None:
    """The message names it."""
    path = tmp_path / "absent.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"absent\.toml"):
        asked("--config", path)


def test_argument_beats_environment_beats_file(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them beat the default."""
    file = config("concurrency = 2\nattempts = 2\nlimit = 2")
    monkeypatch.setenv("IMPORT_CONTACTS_CONFIG", str(file))
    monkeypatch.setenv("IMPORT_CONTACTS_CONCURRENCY", "3")
    monkeypatch.setenv("IMPORT_CONTACTS_ATTEMPTS", "3")
    found = asked("--concurrency", 4)
    values = flat(found.options)
    names = ("concurrency", "attempts", "limit", "timeout")
    assert [values[name] for name in names] == [4, 3, 2, 30]
    assert [found.origin(name) for name in names] == [
        "command line", "environment", "config file", "default",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["false", "0", "No", "off", "F", "n"])
def test_variable_switches_off_what_the_file_switches_on(
    config: Config, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """An argument can only switch it on."""
    monkeypatch.setenv("IMPORT_CONTACTS_STRICT", word)
    assert asked("--config", config("strict = true")).options.strict is False
    assert asked("--config", config("strict = true"), "--strict").options.strict is True


def test_argument_for_one_column_leaves_the_others_of_the_file(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables are combined entry by entry."""
    monkeypatch.setenv("IMPORT_CONTACTS_IDENTIFIER", "ERP=E")
    file = config('[columns]\ncity = "Town"\nstate = "Land"\n[identifiers]\nCRM = "C"')
    found = asked("--config", file, "--map", "city=City").options.mapping
    assert found.columns == {"city": ("City",), "state": ("Land",)}
    assert found.identifiers == {"CRM": ("C",), "ERP": ("E",)}


@pytest.mark.parametrize(
    ("below", "argument", "columns"),
    [
        ('emails = ["A", "B"]', "email=C", {"email": ("C",)}),
        ('first_name = "A"', "firstName=C", {"firstName": ("C",)}),
        ('email1 = "A"', "email2=C", {"email1": ("A",), "email2": ("C",)}),
    ],
)
def test_argument_beats_the_file_however_the_field_is_spelled(
    config: Config, below: str, argument: str, columns: dict[str, tuple[str, ...]]
) -> None:
    """Two spellings are one field, two numbers are two."""
    found = asked("--config", config(f"[columns]\n{below}"), "--map", argument)
    assert found.options.mapping.columns == columns


def test_providers_have_one_spelling(config: Config) -> None:
    """They are names of the user's organisation, not API fields."""
    found = asked("--config", config('[identifiers]\nemail = "A"'), "--identifier", "emails=B")
    assert found.options.mapping.identifiers == {"email": ("A",), "emails": ("B",)}


def test_field_given_twice_keeps_both_columns(config: Config) -> None:
    """A list field may have many columns; the mapping knows which fields may not."""
    found = asked("--map", "street=A", "--map", "street=B")
    assert found.options.mapping.columns == {"street": ("A", "B")}
    found = asked("--config", config('map = ["street=A"]\n[columns]\nstreet = "B"'))
    assert found.options.mapping.columns == {"street": ("A", "B")}


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        pytest.param([], "region", id="file"),
        pytest.param(["--sandbox"], "sandbox", id="argument"),
        pytest.param(["--base-url", "https://example.com"], "base_url", id="other-argument"),
    ],
)
def test_destination_on_the_command_line_beats_that_of_the_file(
    config: Config, arguments: list[str], chosen: str
) -> None:
    """So the nightly configuration can be rehearsed."""
    found = asked("--config", config('region = "eu"'), *arguments)
    options = found.options
    choices = {
        "region": options.region, "base_url": options.base_url, "sandbox": options.sandbox,
    }  # fmt: skip
    assert found.strongest(choices, "one only") == chosen


def test_two_destinations_of_one_origin_are_an_error(config: Config) -> None:
    """It is not clear which one is meant."""
    found = asked("--config", config('region = "eu"\nsandbox = true'))
    with pytest.raises(UsageError, match="one only"):
        found.strongest({"region": found.options.region, "sandbox": True}, "one only")


def test_unknown_variables_are_reported_with_the_nearest_name() -> None:
    """A typo in a crontab is not ignored; the variables of Kubernetes are."""
    names = [
        "IMPORT_CONTACTS_MAX_ERROR",
        "IMPORT_CONTACTS_API_TOKEN",
        "IMPORT_CONTACTS_SERVICE_HOST",
        "IMPORT_CONTACTS_PORT",
        "IMPORT_CONTACTS_PORT_80_TCP_ADDR",
        "HOME",
    ]
    with pytest.raises(UsageError) as caught:
        from_command_line(ImportSettings, "in.csv", {}, dict.fromkeys(names, "x"))
    text = str(caught.value)
    assert "did you mean max-errors?" in text
    assert "SITECORE_CDP_API_TOKEN" in text
    assert "SERVICE" not in text
    assert "PORT_80" not in text
    from_command_line(ImportSettings, "in.csv", {}, dict.fromkeys(names[2:], "x"))


def test_unknown_argument_names_the_nearest_option() -> None:
    """The message is click's own."""
    with pytest.raises(click.UsageError) as caught:
        asked("--max-eror", "3")
    assert "--max-errors" in caught.value.format_message()


def test_undo_takes_what_it_shares_from_the_file_and_the_environment(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outputs and confirmation of an import are not those of its undo."""
    path = config(
        'region = "us"\njournal = "kept"\ndry-run = true\nout = "o"\nsummary = "s"\nstrict = true\n'
        '[columns]\ncity = "Town"\n'
    )
    for name in ("OUT", "SUMMARY", "REJECTS"):
        monkeypatch.setenv(f"IMPORT_CONTACTS_{name}", "x")
    monkeypatch.setenv("IMPORT_CONTACTS_RATE", "7")
    found = asked_undo("--config", path).options
    assert (found.region, found.journal, found.dry_run) == ("us", path.parent / "kept", True)
    assert (found.out, found.summary, found.delivery.rate) == (None, None, 7.0)


def test_undo_refuses_a_file_that_is_wrong_for_the_import(config: Config) -> None:
    """All of it is checked, whichever command reads it."""
    with pytest.raises(UsageError, match="did you mean rejects"):
        asked_undo("--config", config('reject = "x"'))


@pytest.mark.parametrize("variable", ["YES", "FORCE"])
def test_confirmation_of_an_undo_never_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """It is an error rather than ignored."""
    monkeypatch.setenv(f"IMPORT_CONTACTS_{variable}", "true")
    with pytest.raises(UsageError, match=variable):
        asked_undo()


def test_paths_of_the_file_are_relative_to_it(config: Config) -> None:
    """The command may be started in any directory; - stays standard output."""
    path = config('out = "-"\nrejects = "r.csv"\nreport = "/var/r.html"')
    found = read_config(path)
    assert found == {
        "out": Path("-"), "rejects": path.parent / "r.csv", "report": Path("/var/r.html"),
    }  # fmt: skip


def test_settings_are_shown_with_their_origin(config: Config) -> None:
    """Sorted by long name, for the report and the log."""
    found = asked(
        "--config", config('[columns]\ncity = "Town"\n'), "--max-errors", "2.5%", "--rate", "20",
        "--require", "city", "--require", "state",
    )  # fmt: skip
    shown = {one.name: (one.value, one.origin) for one in found.shown({"out": Path("o.csv")})}
    assert list(shown) == sorted(set(BY_NAME))
    assert shown["map"] == ("city=Town", "config file")
    assert shown["max-errors"] == ("2.5%", "command line")
    assert shown["rate"] == ("20", "command line")
    assert shown["require"] == ("city, state", "command line")
    assert shown["strict"] == ("no", "default")
    assert shown["timeout"] == ("30", "default")
    assert shown["out"] == ("o.csv", "default")
    assert shown["limit"] == ("", "default")


def test_log_format_is_a_value_of_its_type() -> None:
    """As are all choices."""
    assert asked("--log-format", "json").options.log.log_format is LogFormat.JSON
