"""How options are declared, and that every one of them reaches the run."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from asking import asked, asked_undo, flat

from importer.api import REGIONS
from importer.errors import UsageError
from importer.journal import default_path
from importer.options import (
    ANYWHERE,
    ONLY_COMMAND_LINE,
    BadValueError,
    Choice,
    Delimiter,
    File,
    Flag,
    Group,
    Kind,
    Many,
    Name,
    Number,
    Option,
    Origin,
    Parsed,
    Table,
    Text,
    Whole,
    argument_of,
    build,
    declared,
    option,
)
from importer.rehearsal import SandboxAddress
from importer.resolve import default_out, import_run, undo_run
from importer.settings import (
    CommonSettings,
    IfExists,
    ImportSettings,
    MaxErrors,
    Region,
    RunNumber,
    UndoSettings,
)

IMPORT = declared(ImportSettings)
UNDO = declared(UndoSettings)
SHARE = Parsed("N|N%", MaxErrors, MaxErrors.parse, "a number or a share", (int, str))
DESTINATIONS = {"region", "base_url", "sandbox", "sandbox_faults"}
LOCAL = ("--base-url", "http://127.0.0.1:9")


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITECORE_CDP_CLIENT_KEY", "key")
    monkeypatch.setenv("SITECORE_CDP_API_TOKEN", "token")


def other_value(option: Option, directory: Path) -> list[str]:
    """Return arguments that give an option another value than its default."""
    flag = f"--{option.name}"
    match option.kind:
        case Flag():
            return [flag]
        case File():
            path = directory / f"{option.name}.toml"
            path.touch(0o600)
            if option.name == "credentials-file":
                path.write_text('client_key = "k"\napi_token = "t"\n')
            return [flag, str(path)]
        case Choice(choices=choices):
            return [flag, next(one for one in choices if one != option.default)]
        case Whole() | Number() | Parsed() | Many(item=Parsed()):
            return [flag, "7"]
        case Table():
            return [flag, "city=Town"]
    return [flag, "x"]


@pytest.mark.parametrize("keyword", [key for key in IMPORT if key not in DESTINATIONS])
def test_every_option_of_an_import_reaches_the_run(tmp_path: Path, keyword: str) -> None:
    """The run differs in the field of the option, and in that of no other."""
    given = asked(*other_value(IMPORT[keyword], tmp_path), *LOCAL)
    with ExitStack() as stack:
        run, _ = import_run(given, stack)
        usual, _ = import_run(asked(*LOCAL), stack)
    found, before = flat(run), flat(usual)
    assert found[keyword] == flat(given.options)[keyword] != before[keyword]
    worked_out = {"bar", "reads", "shown", "preview", "journal"}
    worked_out |= {"out"} if keyword == "dry_run" else set()
    changed = {name for name in found if found[name] != before[name]}
    assert changed - worked_out == {keyword} - worked_out


@pytest.mark.parametrize("keyword", [key for key in UNDO if key not in {*DESTINATIONS, "run"}])
def test_every_option_of_an_undo_reaches_the_run(tmp_path: Path, keyword: str) -> None:
    """Confirmation is asked for, or not, before the run begins."""
    given = asked_undo(*other_value(UNDO[keyword], tmp_path), *LOCAL)
    run, usual = undo_run(given), undo_run(asked_undo(*LOCAL))
    asked_for = flat(given.options)[keyword]
    assert asked_for != flat(asked_undo().options)[keyword]
    if keyword not in {"yes", "force"}:
        assert flat(run)[keyword] == asked_for != flat(usual)[keyword]


@pytest.mark.parametrize(
    ("arguments", "url", "name"),
    [
        pytest.param(
            ["--region", "us"],
            "https://api-engage-us.sitecorecloud.io",
            "https://api-engage-us.sitecorecloud.io:443",
            id="region",
        ),
        pytest.param(
            ["--base-url", "https://CDP.example.com/"],
            "https://cdp.example.com",
            "https://cdp.example.com:443",
            id="base-url",
        ),
    ],
)
def test_destination_reaches_the_run(arguments: list[str], url: str, name: str) -> None:
    """As the address that requests are sent to, and as what the journal calls it."""
    with ExitStack() as stack:
        run, _ = import_run(asked(*arguments), stack)
    for found in (run, undo_run(asked_undo(*arguments))):
        assert (found.base_url, found.destination, found.starts_sandbox) == (url, name, False)


def test_sandbox_reaches_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is running with its faults until the end, and its credentials are used."""
    events: list[object] = []

    @contextmanager
    def running(faults: Path | None) -> Iterator[SandboxAddress]:
        events.append(faults)
        yield SandboxAddress("http://127.0.0.1:7", "sandbox-key", "sandbox-token")
        events.append("stopped")

    monkeypatch.setattr("importer.rehearsal.sandbox_running", running)
    with ExitStack() as stack:
        run, credentials = import_run(asked("--sandbox", "--sandbox-faults", "f.toml"), stack)
        assert events == [Path("f.toml")]
    assert events == [Path("f.toml"), "stopped"]
    assert (run.base_url, run.destination) == ("http://127.0.0.1:7", "sandbox")
    assert run.starts_sandbox
    assert run.reads == {"--sandbox-faults": Path("f.toml")}
    assert credentials is not None
    assert credentials.client_key == "sandbox-key"


def test_regions_have_an_address() -> None:
    """All that can be chosen, and no others."""
    assert set(Region) == set(REGIONS)


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("contacts.csv", "results", "contacts.results.csv"),
        ("in/contacts.CSV.gz", "results", "contacts.results.csv"),
        ("contacts.2026.zip", "undone", "contacts.undone.csv"),
        ("contacts", "results", "contacts.results.csv"),
        ("-", "results", "stdin.results.csv"),
    ],
)
def test_default_results_file_is_named_after_the_source(
    source: str, kind: str, expected: str
) -> None:
    """It is in the working directory, without the ending of a compressed file."""
    assert default_out(Path(source), kind) == Path(expected)


def test_files_worked_out_of_the_source_and_the_results() -> None:
    """They do not depend on each other's names but for the stem; the journal on none."""
    with ExitStack() as stack:
        run, _ = import_run(asked(*LOCAL, source="in/a.csv"), stack)
        piped, _ = import_run(asked(*LOCAL, "--out", "-", source="-"), stack)
    journal = default_path("http://loopback:9")
    assert (run.out, run.journal) == (Path("a.results.csv"), journal)
    assert (piped.source.path, piped.journal) == (None, journal)
    undo = undo_run(asked_undo(*LOCAL, results="in/a.results.csv"))
    assert (undo.out, undo.journal) == (Path("a.results.undone.csv"), journal)


@pytest.mark.parametrize(
    ("runs", "out", "numbers"),
    [
        (["7"], "run-7.undone.csv", (RunNumber(7),)),
        (["7", "3"], "run-7-3.undone.csv", (RunNumber(7), RunNumber(3))),
        (["last"], "run-last.undone.csv", (RunNumber(None),)),
    ],
)
def test_runs_to_undo_need_no_results_file(
    runs: list[str], out: str, numbers: tuple[RunNumber, ...]
) -> None:
    """They reach the run, and name its results."""
    given = asked_undo(*LOCAL, *(f"--run={run}" for run in runs), results=None)
    found = undo_run(given)
    assert (found.source.path, found.run, found.out) == (None, numbers, Path(out))
    dry = undo_run(asked_undo(*LOCAL, "--run=7", "--dry-run", results=None))
    assert dry.out == Path("run-7.dry-run.csv")


@pytest.mark.parametrize("arguments", [{"results": None}, {"results": "a.csv", "run": "7"}])
def test_undo_takes_either_results_or_runs(arguments: dict[str, Any]) -> None:
    """Both, and neither, are refused."""
    run = [f"--run={arguments['run']}"] if "run" in arguments else []
    with pytest.raises(UsageError, match=r"or --run N, but not both"):
        undo_run(asked_undo(*LOCAL, *run, results=arguments["results"]))


@pytest.mark.parametrize("text", ["0", "-1", "x", "LAST", "1.5", "²", ""])
def test_what_is_not_the_number_of_a_run_is_refused(text: str) -> None:
    """The message names what is accepted."""
    with pytest.raises(UsageError, match="neither the number of a run nor last"):
        asked_undo(*LOCAL, "--run", text, results=None)


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        pytest.param([], "a.dry-run.csv", id="default"),
        pytest.param(["--out", "mine.csv"], "mine.csv", id="command-line"),
        pytest.param(["--out", "-"], "-", id="stream"),
    ],
)
def test_dry_run_has_results_of_its_own(arguments: list[str], out: str) -> None:
    """So that those of the import stay."""
    with ExitStack() as stack:
        run, _ = import_run(asked(*LOCAL, "--dry-run", *arguments, source="in/a.csv"), stack)
    assert run.out == Path(out)


def test_dry_run_keeps_the_results_that_a_configuration_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are meant for the import that it configures."""
    config = tmp_path / "c.toml"
    config.write_text('out = "kept/results.csv"\n')
    with ExitStack() as stack:
        run, _ = import_run(asked(*LOCAL, "--dry-run", "--config", config), stack)
        monkeypatch.setenv("IMPORT_CONTACTS_OUT", "r.csv")
        other, _ = import_run(asked(*LOCAL, "--dry-run"), stack)
    assert run.out == tmp_path / "kept" / "results.dry-run.csv"
    assert other.out == Path("r.dry-run.csv")


def test_rehearsal_and_dry_run_without_destination_have_no_journal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even one that is named: what it contains was sent to another destination."""
    monkeypatch.setattr(
        "importer.rehearsal.sandbox_running",
        lambda _: nullcontext(SandboxAddress("http://127.0.0.1:7", "k", "t")),
    )
    for arguments in (["--sandbox"], ["--dry-run"]):
        with ExitStack() as stack:
            run, _ = import_run(asked(*arguments, "--journal", "j"), stack)
        assert run.journal is None
        assert "journal" not in {one.name for one in run.shown}


def test_state_folder_that_cannot_be_created_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the remedy; a dry run and a named journal do not need it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "file" / "state"))
    with ExitStack() as stack:
        with pytest.raises(UsageError, match=r"cannot be used: .*--journal, or .*STATE_DIRECTORY"):
            import_run(asked(*LOCAL), stack)
        import_run(asked(*LOCAL, "--dry-run"), stack)
        import_run(asked(*LOCAL, "--journal", "j"), stack)


@pytest.mark.parametrize(
    ("arguments", "bar"),
    [([], None), (["--no-progress"], False), (["--progress"], True),
     (["--progress", "--quiet"], False), (["--progress", "--log-format", "json"], False)],
)  # fmt: skip
def test_bar_is_never_drawn_where_it_would_be_in_the_way(arguments: list[str], bar: object) -> None:
    """Neither with ``--quiet`` nor between lines of JSON."""
    assert asked(*arguments).options.log.bar is bar


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "--region", id="none"),
        pytest.param(["--region", "eu", "--sandbox"], "only one", id="two"),
        pytest.param(
            ["--region", "eu", "--sandbox-faults", "x"], "for --sandbox only", id="faults-alone"
        ),
        pytest.param(["--dry-run", "--if-exists", "skip"], "--region", id="dry-run-that-reads"),
    ],
)
def test_contradictory_destinations_are_refused(arguments: list[str], message: str) -> None:
    """Before anything is started."""
    with ExitStack() as stack, pytest.raises(UsageError, match=message):
        import_run(asked(*arguments), stack)


def test_dry_run_needs_neither_destination_nor_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sends nothing."""
    monkeypatch.delenv("SITECORE_CDP_CLIENT_KEY")
    with ExitStack() as stack:
        run, credentials = import_run(asked("--dry-run"), stack)
    assert (run.base_url, run.destination, credentials) == (None, None, None)


@pytest.mark.parametrize("settings", [ImportSettings, UndoSettings])
def test_names_are_unique(settings: type[CommonSettings]) -> None:
    """Keywords are: they are keys. Long and short names, and variables, are as well."""
    options = declared(settings).values()
    flags = [flag for one in options for flag in one.flags]
    assert len(flags) == len(set(flags))
    assert {"--help", "-h", "--version"}.isdisjoint(flags)


@pytest.mark.parametrize("settings", [ImportSettings, UndoSettings])
def test_defaults_are_what_the_kind_accepts(settings: type[CommonSettings]) -> None:
    """Those that were declared are those of the fields."""
    values = flat(build(settings, {}))
    for keyword, one in declared(settings).items():
        assert values[keyword] == one.default
        if one.default not in (None, (), {}):
            assert one.kind.parse(one.kind.shown(one.default)) == one.default


def test_shared_options_are_declared_once() -> None:
    """An option that both commands take from a file is read alike by both."""
    for keyword in IMPORT.keys() & UNDO.keys():
        if Origin.CONFIG in UNDO[keyword].sources:
            assert type(UNDO[keyword].kind) is type(IMPORT[keyword].kind)
            assert UNDO[keyword].name == IMPORT[keyword].name


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Flag(), "Yes", True),
        (Flag(), " off ", False),
        (Text(), " x ", " x "),
        (Delimiter(), "tab", "\t"),
        (Delimiter(), r"\t", "\t"),
        (Delimiter(), ";", ";"),
        (Choice(IfExists), "skip", IfExists.SKIP),
        (Whole(0, 5), "5", 5),
        (Whole(1), "1000", 1000),
        (Number("S", 60), "0.5", 0.5),
        (Number("S", 60, allows_zero=True), "0", 0.0),
        (SHARE, "7", MaxErrors(7)),
        (SHARE, " 2.5% ", MaxErrors(2.5, is_share=True)),
        (File(or_stream=True), "-", Path("-")),
        (Many(Name("F")), "a b", ("a b",)),
        (Table("F=C", "a column"), " a = b=c ", {"a": ("b=c",)}),
    ],
)
def test_text_is_read(kind: Kind[object], text: str, value: object) -> None:
    """As it is on the command line and in a variable."""
    assert kind.from_texts([text]) == value


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (Flag(), "maybe", "'maybe' is not true or false."),
        (Text(), "", "it is blank"),
        (Delimiter(), ";;", "';;' is not one character"),
        (Delimiter(), "", "'' is not one character"),
        (Choice(IfExists), "SKIP", "'SKIP' is not one of auto, create, skip, update, error."),
        (Whole(0, 5), "6", "6 is not in the range 0 to 5."),
        (Whole(1), "0", "0 is not in the range of 1 and above."),
        (Whole(), "x", "'x' is not a whole number."),
        (Whole(), "", "'' is not a whole number."),
        (Number("R"), "0", "0 is not in the range above 0."),
        (Number("R", 60), "61", "61 is not in the range above 0 and up to 60."),
        (Number("R"), "nan", "nan is not in the range"),
        (Number("R", 60, allows_zero=True), "-1", "-1 is not in the range from 0 and up to 60."),
        (Number("R"), "inf", "inf is not in the range"),
        (Number("R"), "x", "'x' is not a number."),
        (SHARE, "101%", "'101%' is neither a number nor a percentage such as 2.5%."),
        (SHARE, "-1", "'-1' is neither"),
        (SHARE, "nan%", "'nan%' is neither"),
        (SHARE, "2.5", "'2.5' is neither"),
        (File(), "", "it is blank"),
        (File(), "-", "it must be a file; - has no meaning here."),
        (Many(Text()), "", "it is blank"),
        (Table("F=C", "a column"), "a", "'a' is not of the form F=C."),
        (Table("F=C", "a column"), "=a", "'=a' is not of the form F=C."),
        (Table("F=C", "a column"), "a= ", "'a= ' is not of the form F=C."),
    ],
)
def test_wrong_text_is_refused(kind: Kind[object], text: str, message: str) -> None:
    """The message says what was expected."""
    with pytest.raises(BadValueError) as caught:
        kind.from_texts([text])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Text(), 5),
        (Text(), True),
        (Whole(), "5"),
        (Whole(), True),
        (Whole(), 5.0),
        (Number("R"), "5"),
        (Number("R"), True),
        (SHARE, 2.5),
        (SHARE, True),
        (File(), 5),
        (File(), b"x"),
        (Flag(), 1),
        (Many(Text()), "x"),
        (Many(Text()), [1]),
        (Table("F=C", "a column"), {"a": "b"}),
    ],
)
def test_value_of_another_type_is_refused(kind: Kind[object], value: object) -> None:
    """TOML and Python have types of their own; nothing is converted silently."""
    with pytest.raises(BadValueError, match=r"must be .*(, not|; it contains) "):
        kind.from_value(value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (SHARE, MaxErrors(3), MaxErrors(3)),
        (SHARE, 3, MaxErrors(3)),
        (File(), Path("a"), Path("a")),
        (Number("S"), 3, 3.0),
        (Many(Text()), ("a", "b"), ("a", "b")),
    ],
)
def test_value_of_python_is_read(kind: Kind[object], value: object, expected: object) -> None:
    """Values of the type that the run uses are accepted as well."""
    assert kind.from_value(value) == expected


def test_text_of_the_wrong_encoding_is_read_as_utf_8() -> None:
    """Without a locale, Python reads arguments as ASCII with surrogates."""
    garbled = "Größe".encode().decode("ascii", "surrogateescape")
    assert Text().parse(garbled) == "Größe"
    assert Table("F=C", "a column").from_texts([f"city={garbled}"]) == {"city": ("Größe",)}


def _shard(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and int(part) < int(parts)):
        raise ValueError(f"{text!r} is not of the form I/N with I below N.")
    return int(part), int(parts)


@dataclass(frozen=True, kw_only=True)
class _Values:
    values: Mapping[str, tuple[str, ...]] = option(
        Table("FIELD:FROM=TO", "a value", joiner=":"), {}, Group.VALUES, "x.", name="value"
    )
    defaults: Mapping[str, tuple[str, ...]] = option(
        Table("FIELD=VALUE", "a value", names_fields=True), {}, Group.VALUES, "x.",
        name="default",
    )  # fmt: skip
    date_format: tuple[str, ...] = option(Many(Text("FORMAT")), (), Group.VALUES, "x.")
    year_pivot: int | None = option(Whole(0, 99, "YY"), None, Group.VALUES, "x.")
    shard: tuple[int, int] | None = option(
        Parsed("I/N", tuple, _shard, "a string such as 0/4"), None, Group.INPUT, "x."
    )


@dataclass(frozen=True, kw_only=True)
class _Settings:
    run: tuple[str, ...] = option(
        Many(Text("N|last")), (), Group.FILES, "x.", sources=ONLY_COMMAND_LINE
    )
    describe: bool = option(
        Flag(), default=False, group=Group.OUTPUT, text="x.", sources=ONLY_COMMAND_LINE
    )
    file: Path | None = option(File(), None, Group.FILES, "x.", name="FILE", is_argument=True)
    rules: _Values = field(default_factory=_Values)


def test_new_kinds_of_options_need_no_new_concepts() -> None:
    """Nested tables, translations, parts, repeatable values, switches that exist only once."""
    options = declared(_Settings)
    assert list(options) == [
        "run", "describe", "values", "defaults", "date_format", "year_pivot", "shard",
    ]  # fmt: skip
    assert argument_of(_Settings).name == "FILE"
    table = options["values"].kind
    assert isinstance(table, Table)
    given: dict[str, Any] = {
        "values": table.from_table(
            {"gender": {"M": "male", "F": "female"}, "country": {"UK": "GB"}}
        ),
        "defaults": options["defaults"].kind.from_texts(["country=IE"]),
        "date_format": options["date_format"].kind.from_texts(["%d/%m/%Y", "iso"]),
        "shard": options["shard"].kind.from_texts(["1/4"]),
        "run": options["run"].kind.from_texts(["3", "last"]),
        "file": Path("x"),
    }
    built = build(_Settings, given)
    assert flat(built) == given | {"describe": False, "year_pivot": None}
    assert given["values"] == {
        "gender:M": ("male",), "gender:F": ("female",), "country:UK": ("GB",),
    }  # fmt: skip
    assert table.from_texts(["gender:M=male"]) == {"gender:M": ("male",)}
    assert options["values"].flags == ["--value"]
    assert options["year_pivot"].sources == ANYWHERE
    with pytest.raises(BadValueError, match="I below N"):
        options["shard"].kind.parse("4/4")
