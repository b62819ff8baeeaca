"""`ddbmig report`: from saved values to one file, however far the stages were run."""

from pathlib import Path

from small_shop import ddbmig, write_shop


def test_without_an_analysis_there_is_nothing_to_report(tmp_path: Path) -> None:
    done = ddbmig("report", write_shop(tmp_path / "shop"))
    assert done.code == 2
    assert "nothing has been analysed yet" in done.err
    assert "ddbmig analyze" in done.err


def test_a_report_says_what_is_missing_and_has_the_rest(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop")
    assert ddbmig("analyze", shop, "--approve", "2").code == 3
    done = ddbmig("report", shop)
    assert done.code == 0
    lines = done.out.splitlines()
    assert [line.partition(" has not been run")[0] for line in lines[:-1]] == [
        "Stage 4 (validation)", "Stage 5 (results)",
    ]  # fmt: skip
    report = shop / "migration" / "report.html"
    assert lines[-1] == f"The report is {report}."
    first = report.read_bytes()
    assert b'id="levers-data"' in first
    assert b"What would flip it" in first
    assert str(tmp_path).encode() not in first
    assert ddbmig("report", "--set", "out=migration", shop).code == 0
    assert report.read_bytes() == first
