"""Bad inputs: one line that names the file and the way out, the right exit code, and nothing half-written."""

import bz2
import gzip
import json
import lzma
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from ddbmig.workflow import STAGES
from small_shop import CONFIG, SCHEMA, Done, contents, ddbmig, general_log, write_shop

INPUTS = ("schema.sql", "data.sql", "general.log", "slow.log")
NOISE = random.Random(1).randbytes(5000)
SECRETS = ("correct-horse-battery-staple", "8675309867530986753")

Spoil = Callable[[Path], object]


def analyze(folder: Path) -> Done:
    return ddbmig("analyze", folder, "--engine", "moto", "--approve", "all")


def put(content: bytes) -> Spoil:
    return lambda path: path.write_bytes(content)


def half(pack: Callable[[bytes], bytes]) -> Spoil:
    def spoil(path: Path) -> None:
        packed = pack(path.read_bytes())
        path.write_bytes(packed[: len(packed) // 2])

    return spoil


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILT: dict[str, tuple[Spoil, int, str]] = {
    "missing": (Path.unlink, 2, "no such file"),
    "a folder": (folder_instead, 2, "is a folder; expected a file"),
    "empty": (put(b""), 4, "the file is empty"),
    "only a newline": (put(b"\n"), 4, ""),
    "noise": (put(NOISE), 4, ""),
    "zeros": (put(bytes(3000)), 4, ""),
    "noise that says gzip": (put(b"\x1f\x8b" + NOISE), 4, "the compressed file is damaged or cut off"),
    "half a gzip": (half(gzip.compress), 4, "the compressed file is damaged or cut off"),
    "half a bzip2": (half(bz2.compress), 4, "the compressed file is damaged or cut off"),
    "half an xz": (half(lzma.compress), 4, "the compressed file is damaged or cut off"),
    "half a zstandard": (half(zstandard.compress), 4, "the compressed file is damaged or cut off"),
    "noise that says zstandard": (put(b"\x28\xb5\x2f\xfd" + NOISE), 4, "the compressed file is damaged or cut off"),
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop")


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_file_is_one_line_and_leaves_nothing(shop: Path, name: str, how: str) -> None:
    spoil, code, said = SPOILT[how]
    (shop / ".ddbmig-key").unlink()
    spoil(shop / name)
    before = contents(shop)
    done = analyze(shop)
    assert (done.code, done.out, len(done.err.splitlines())) == (code, "", 1)
    place, _, rest = done.err.removeprefix("ddbmig: ").partition(": ")
    assert Path(place).name == name
    assert said in rest
    assert "; " in rest  # the way out
    assert "log" not in rest or name.endswith(".log")
    assert contents(shop) == before


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_compressed_inputs_are_read(shop: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    plain = json.loads((run_stage_1(shop) / "snapshot.json").read_text())
    (shop / name).write_bytes(pack((shop / name).read_bytes()))
    packed = json.loads((run_stage_1(shop) / "snapshot.json").read_text())
    assert packed["inputs"] != plain["inputs"]
    for value in (plain, packed):
        del value["inputs"]
        for source in value["digest"]["sources"]:
            del source["sha256"], source["bytes"]
    assert packed == plain


def run_stage_1(folder: Path) -> Path:
    assert ddbmig("analyze", folder).code == 3
    return folder / "migration"


def test_a_spoilt_input_leaves_the_earlier_results_whole(shop: Path) -> None:
    assert analyze(shop).code == 0
    (shop / "general.log").write_bytes(NOISE)
    before = contents(shop)
    assert analyze(shop).code == 4
    assert contents(shop) == before


def test_a_schema_without_create_table_says_how_to_make_one(shop: Path) -> None:
    (shop / "schema.sql").write_text("-- a comment\nINSERT INTO x VALUES (1);\n")
    done = analyze(shop)
    assert (done.code, len(done.err.splitlines())) == (4, 1)
    assert "mysqldump --no-data" in done.err


def test_a_schema_without_primary_keys_goes_through_with_findings(shop: Path) -> None:
    bare = re.sub(r"  PRIMARY KEY.*\n", "", SCHEMA).replace(",\n)", "\n)")
    (shop / "schema.sql").write_text(bare)
    assert "PRIMARY" not in bare
    assert analyze(shop).code == 0
    out = shop / "migration"
    found = [f for name in ("assessment", "design") for f in findings(json.loads((out / f"{name}.json").read_text()))]
    assert any(f["rule"] == "PR012" for f in found)  # rows without identity
    assert json.loads((out / "migrationContract.json").read_text())


def findings(value: object) -> list[dict[str, str]]:
    """Every finding anywhere in a value."""
    if isinstance(value, list):
        return [f for item in value for f in findings(item)]
    if isinstance(value, dict):
        own = value.get("findings", ())
        return [*own, *(f for key, item in value.items() if key != "findings" for f in findings(item))]
    return []


# --- logs that do not fit ---


def configure(folder: Path, *roles: str) -> None:
    """Leave only these inputs in the configuration."""
    lines = [line for line in CONFIG.splitlines() if not line.startswith("  ") or line.split(":")[0].strip() in roles]
    (folder / "ddbmig.yaml").write_text("\n".join(lines).replace("context:", "") + "\n")


def test_the_log_of_another_schema_is_refused_every_time(shop: Path) -> None:
    configure(shop, "schema_files", "general_logs")
    (shop / "schema.sql").write_text("CREATE TABLE zebras (id int PRIMARY KEY, stripes int);\n")
    for _ in range(2):
        done = analyze(shop)
        assert (done.code, len(done.err.splitlines())) == (4, 1)
        assert "general.log: 100% of the statements were not understood" in done.err
        assert "they use tables that are not in the schema" in done.err
        assert "Stage1_MySQLAnalysis.md lists the reasons" in done.err
    assert "unknown table" in (shop / "migration" / "Stage1_MySQLAnalysis.md").read_text()
    assert ddbmig("status", "--project", shop).out.splitlines()[-1].startswith("Next: ")


def test_the_tolerance_is_a_persons_to_widen(shop: Path) -> None:
    configure(shop, "schema_files", "general_logs")
    statements = ["SELECT id FROM books WHERE id = 1"] * 8 + ["SELECT x FROM zebras WHERE id = 1"] * 2
    (shop / "general.log").write_text(general_log(statements))
    assert analyze(shop).code == 4
    with (shop / "ddbmig.yaml").open("a") as config:
        config.write("tolerance:\n  statements_not_understood: 0.2\n")
    assert analyze(shop).code == 0


def test_statements_that_are_no_sql_are_refused(shop: Path) -> None:
    configure(shop, "schema_files", "general_logs")
    (shop / "general.log").write_text(general_log(["FROB x", "xyzzy 1 2"]))
    done = analyze(shop)
    assert (done.code, len(done.err.splitlines())) == (4, 1)


@pytest.mark.parametrize(
    ("roles", "statements"),
    [
        (("schema_files", "general_logs"), ["SET NAMES utf8mb4"] * 3),
        (("schema_files",), []),
        (("schema_files", "data"), []),
    ],
    ids=["only SETs", "schema alone", "schema and data"],
)
def test_without_a_pattern_the_contract_satisfies_nothing(
    shop: Path, roles: tuple[str, ...], statements: list[str]
) -> None:
    configure(shop, *roles)
    (shop / "general.log").write_text(general_log(statements))
    assert analyze(shop).code == 0
    contract = json.loads((shop / "migration" / "migrationContract.json").read_text())
    assert {e["source_table"] for e in contract} == {"authors", "books", "orders", "order_lines"}
    assert all(e["satisfies"] == [] for e in contract)


def test_without_data_stage_4_proves_on_generated_rows_and_says_so(shop: Path) -> None:
    configure(shop, "schema_files", "general_logs")
    assert analyze(shop).code == 0
    validation = json.loads((shop / "migration" / "validation.json").read_text())
    assert {p["status"] for p in validation["patterns"]} <= {"routed", "not proved", "proved"}
    assert all(p["why"] or p["status"] == "proved" for p in validation["patterns"])
    assert all(p["generated"] for p in validation["patterns"])
    assert validation["generated_tables"] == sorted(t["source_table"] for t in validation["round_trip"])
    (load,) = (c for c in validation["checks"] if c["name"] == "Data loads through the contract")
    assert load["evidence"].endswith("the rows of 4 tables are generated")


# --- our own files, spoilt ---


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_shop(tmp_path_factory.mktemp("hostile") / "finished")
    assert analyze(folder).code == 0
    return folder


@pytest.fixture
def done_shop(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "done"))


VERSIONS = {stage.value.removesuffix(".json"): stage.document.SCHEMA_VERSION for stage in STAGES if stage.document}


@pytest.mark.parametrize("name", VERSIONS)
def test_a_value_of_another_version_is_named(done_shop: Path, name: str) -> None:
    path = done_shop / "migration" / f"{name}.json"
    path.write_text(re.sub('"schema_version": [0-9]+', '"schema_version": 0', path.read_text()))
    done = analyze(done_shop)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    now = VERSIONS[name]
    assert f"{path}: {name.capitalize()} value has schema_version 0; expected schema_version {now}; remove" in done.err
    path.unlink()
    assert analyze(done_shop).code == 0


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"{", b'{"1": 3}', b'{"1": {"needs": 1}}', NOISE])
def test_a_damaged_state_is_made_anew(done_shop: Path, content: bytes) -> None:
    path = done_shop / "migration" / "state.json"
    whole = path.read_bytes()
    path.write_bytes(content)
    assert ddbmig("status", "--project", done_shop).code == 2
    assert analyze(done_shop).code == 0
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "content", [b"{", b"[]\n", b"7\n", b'{"stage": 1}\n', b'{"stage": "x", "decision": 1}\n', NOISE]
)
@pytest.mark.parametrize("command", ["analyze", "status", "approve"])
def test_a_damaged_ledger_is_named_with_its_line(done_shop: Path, content: bytes, command: str) -> None:
    path = done_shop / "approvals.jsonl"
    path.write_bytes(b'{"stage": 1, "decision": "00"}\n' + content)
    words = {"analyze": (), "status": ("--project",), "approve": ("1", "--project")}[command]
    done = ddbmig(command, *words, done_shop)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert f"{path}:2: not an approval; restore the file" in done.err


@pytest.mark.parametrize("name", ["design.json", "assessment.json"])
def test_choosing_from_a_damaged_value_is_one_line(done_shop: Path, name: str) -> None:
    (done_shop / "migration" / name).write_bytes(NOISE)
    what = ("design", "faithful") if name == "design.json" else ("books.author_id->authors.id", "separate")
    done = ddbmig("choose", *what, "--project", done_shop)
    assert (done.code, len(done.err.splitlines())) == (4, 1)
    assert not (done_shop / "decisions.yaml").exists()


def test_an_interrupted_write_leaves_the_old_file(done_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = contents(done_shop)
    with (done_shop / "schema.sql").open("a") as schema:
        schema.write("CREATE TABLE more (id int PRIMARY KEY);\n")
    monkeypatch.setattr("ddbmig.project.os.fsync", full)
    done = analyze(done_shop)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "snapshot.json: cannot be written (No space left on device)" in done.err
    assert {**contents(done_shop), "schema.sql": before["schema.sql"]} == before


# --- secrets and names ---


def test_no_literal_of_log_or_data_reaches_output_or_files(shop: Path) -> None:
    word, number = SECRETS
    log = general_log(
        [
            f"SELECT id FROM orders WHERE customer = '{word}' LIMIT 5",
            f"SELECT id FROM orders WHERE id = {number}",
            f"SELECT id FROM orders WHERE customer LIKE '%{word}%'",
            f"UPDATE orders SET customer = '{word}' WHERE id IN ({number}, 1)",
            f"INSERT INTO orders (id, customer, placed) VALUES ({number}, '{word}', '2026-01-01 00:00:00')",
            f"SELECT id, '{word}' FROM orders WHERE id = {number} /* {word} */ -- {number}",
            f"FROB '{word}' {number}",
            f'SELECT id FROM orders WHERE customer = "{word}" AND id > {number} GROUP BY id HAVING COUNT(*) > {number}',
        ]
    )
    (shop / "general.log").write_text(log)
    (shop / "slow.log").write_text((shop / "slow.log").read_text().replace("customer 1", word))
    (shop / "data.sql").write_text(
        (shop / "data.sql").read_text()
        + f"INSERT INTO `orders` VALUES ({number},'{word}','2026-01-01 00:00:00');\n"
        + f"INSERT INTO `orders` VALUES ('{word}','too', 'many', '{word}');\nINSERT INTO `orders` VALUES ({number}\n"
    )
    with (shop / "ddbmig.yaml").open("a") as config:
        config.write("tolerance:\n  statements_not_understood: 1\n")
    done = analyze(shop)
    assert done.code == 0
    assert found_secrets(shop, done, SECRETS) == []


def found_secrets(folder: Path, done: Done, secrets: tuple[str, ...]) -> list[str]:
    """Where a secret stands: names of files of the output, or `printed`."""
    texts = {**contents(folder / "migration"), "printed": (done.out + done.err).encode()}
    return [name for name, text in texts.items() if any(secret.encode() in text for secret in secrets)]


def test_a_refused_statement_of_the_data_is_not_repeated(shop: Path) -> None:
    word, number = SECRETS
    (shop / "data.sql").write_text(f"INSERT INTO `orders` VALUES ({number},'{word}' oops\n")
    done = analyze(shop)
    assert done.code == 4
    assert word not in done.err
    assert number not in done.err


def test_no_password_is_echoed(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQL_PWD", "hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    for words in (
        ("analyze", "--mysql", "mysql://me:hunter2@127.0.0.1:9/shop", "--out", shop / "migration"),
        ("analyze", "--mysql", "mysql://me@127.0.0.1:9/shop", "--out", shop / "migration"),
        ("analyze", "mysql://me:hunter2@127.0.0.1:9/shop"),
        ("analyze", shop, "--approve", "all", "--endpoint", "http://me:hunter2@127.0.0.1:9"),
        ("analyze", shop, "--approve", "all", "--endpoint", "http://127.0.0.1:9/?key=hunter2"),
    ):
        done = ddbmig(*words)
        assert done.code == 2
        assert found_secrets(shop, done, ("hunter2",)) == []


def test_what_a_server_would_push_aside_is_refused(shop: Path) -> None:
    server = ("analyze", shop, "--mysql", "mysql://me@127.0.0.1:9/shop")
    for option in ("--schema", "--data"):
        done = ddbmig(*server, option, shop / "schema.sql")
        assert (done.code, "leave --schema and --data out" in done.err) == (2, True)
    (shop / "slow.log").unlink()  # the project's own logs are read beside a server
    assert "slow.log: no such file" in ddbmig(*server).err


HOSTILE = ("../../etc", "a`b", "x|y", "<img src=x onerror=1>", "{{7*7}}", "$(id)", "line\nbreak", "'quote\"", "Ünï 😀")


SPEAKING = ("\x1b[2J\x1b[31mred", "bell\x07", "two\nlines", "\u202etxt.exe", "\x9b31m")
"""What a terminal could obey."""


def test_no_name_speaks_to_the_terminal(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    columns = ", ".join(f"`{name}` varchar(20) NOT NULL" for name in SPEAKING)
    tables = [
        f"CREATE TABLE `{name}` (`id` int NOT NULL, `up` int NOT NULL, {columns}, PRIMARY KEY (`id`));\n"
        for name in SPEAKING
    ]
    (folder / "schema.sql").write_text("".join(tables), newline="")
    queries = [f"SELECT a.`{name}` FROM `{name}` a JOIN `{SPEAKING[0]}` b ON b.`id` = a.`up` WHERE a.`id` = 1"
               for name in SPEAKING]  # fmt: skip
    (folder / "general.log").write_text(general_log(queries), newline="")
    configure(folder, "schema_files", "general_logs")
    shown = [analyze(folder)]
    assert shown[0].code == 0, shown
    where = ("--project", folder)
    relationships = json.loads((folder / "migration" / "assessment.json").read_text())["relationships"]
    assert relationships
    (folder / "ddbmig.yaml").write_text((folder / "ddbmig.yaml").read_text() + "context: {lifecycle: mature}\n")
    shown += [ddbmig(*words, *where) for words in (
        ("status",), ("explain", relationships[0]["relationship"]["id"]), ("explain", "DM003"), ("contract", "check"),
        ("explain", "select"), ("choose", "nothing", "separate"), ("export", "cloudformation", "--draft"),
    )]  # fmt: skip
    shown += [ddbmig("check", folder)]
    for done in shown:
        text = done.out + done.err
        assert text
        assert [line for line in text.split("\n") if not line.isprintable()] == []


def test_hostile_names_go_through_and_stay_names(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "deep" / "er" / "shop")
    quoted = ["`" + name.replace("`", "``") + "`" for name in HOSTILE]
    (folder / "schema.sql").write_text(
        "".join(
            f"CREATE TABLE {name} (`id` int NOT NULL, {name} varchar(20) NOT NULL, PRIMARY KEY (`id`), "
            f"UNIQUE KEY {name} ({name}));\n"
            for name in quoted
        )
    )
    queries = [f"SELECT {name} FROM {name} WHERE {name} = 'v'" for name in quoted]
    (folder / "general.log").write_text(general_log(queries))
    rows = "".join(f"INSERT INTO {name} VALUES (1,'a'),(2,'b');\n" for name in quoted)
    (folder / "data.sql").write_text(rows)
    configure(folder, "schema_files", "data", "general_logs")
    before = {path for path in tmp_path.rglob("*") if folder not in path.parents}
    done = analyze(folder)
    assert (done.code, done.err) == (0, "")
    assert {path for path in tmp_path.rglob("*") if folder not in path.parents} == before
    out = folder / "migration"
    assert [path.name for path in out.rglob("*") if path.is_dir()] == ["approved"]
    contract = json.loads((out / "migrationContract.json").read_text())
    assert {e["source_table"] for e in contract} == set(HOSTILE)
    for report in out.glob("*.md"):
        outside_code = re.sub(r"(`+)(?:(?!`).)*?\1", "", report.read_text())
        assert "<img" not in outside_code, report.name
