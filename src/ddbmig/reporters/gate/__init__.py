"""The output formats of `ddbmig check`, each a pure function from the report to the text of a file."""

from collections.abc import Callable, Mapping

from ddbmig.model.gate import GateReport
from ddbmig.reporters.gate.github import github_report
from ddbmig.reporters.gate.gitlab import gitlab_report
from ddbmig.reporters.gate.json_report import json_report
from ddbmig.reporters.gate.junit import junit_report
from ddbmig.reporters.gate.markdown import markdown_report
from ddbmig.reporters.gate.sarif import sarif_report
from ddbmig.reporters.gate.text import text_report

FORMATS: Mapping[str, Callable[[GateReport], str]] = {
    "text": text_report,
    "json": json_report,
    "sarif": sarif_report,
    "junit": junit_report,
    "github": github_report,
    "gitlab": gitlab_report,
    "markdown": markdown_report,
}
"""By the name that `--output` takes; a text for UTF-8 that ends with one newline. `text` has no colours here."""
