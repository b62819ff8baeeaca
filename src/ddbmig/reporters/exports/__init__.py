"""Hand-over files, each a pure function from the approved design to the text of a file."""

from collections.abc import Callable, Mapping

from ddbmig.reporters.exports.cloudformation import cloudformation
from ddbmig.reporters.exports.cutover import cutover
from ddbmig.reporters.exports.dashboard import dashboard
from ddbmig.reporters.exports.iam import iam
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.mcp import mcp
from ddbmig.reporters.exports.mcp_schema import mcp_schema
from ddbmig.reporters.exports.modernizer import modernizer
from ddbmig.reporters.exports.terraform import terraform
from ddbmig.reporters.exports.views import drop_views, views
from ddbmig.reporters.exports.workbench import workbench

EXPORTS: Mapping[str, Callable[[Material], str]] = {
    "cloudformation": cloudformation,
    "terraform": terraform,
    "dashboard": dashboard,
    "iam": iam,
    "workbench": workbench,
    "mcp": mcp,
    "mcp-schema": mcp_schema,
    "cutover": cutover,
    "views": views,
    "drop-views": drop_views,
    "modernizer": modernizer,
}
"""By the name that `ddbmig export` takes; a text for UTF-8 that ends with one newline."""
