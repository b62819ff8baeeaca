"""One HTML page of all stages that were run: no network, opens from disk, every text of the database stays text.

The answers come first, then what they rest on. Views (`answers`, `grids`, `charts`, `details`) turn the values into
plain texts and positions; the templates say how these look; `render` puts the page together under a content security
policy that allows our one style sheet and our one script and nothing else.
"""

from ddbmig.reporters.html.page import html_report

__all__ = ["html_report"]
