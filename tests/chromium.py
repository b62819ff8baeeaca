"""A headless Chromium, spoken to by the DevTools protocol over a pipe: no driver and no package beside the browser.

The protocol: https://chromedevtools.github.io/devtools-protocol/. Messages are JSON that ends in a zero byte; the
browser reads them from file descriptor 3 and writes to 4 (`--remote-debugging-pipe`).
"""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
         "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe")  # fmt: skip

KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36, "ArrowLeft": 37,
        "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "/": 191}  # fmt: skip
"""The codes of the keys that are pressed (https://www.w3.org/TR/uievents/#fixed-virtual-key-codes)."""
MODIFIERS = {"": 0, "Control": 2, "Shift": 8}

MOVE = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]  # out of the way of 3 and 4
for there, end in zip((3, 4), ends):
    os.dup2(end, there)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Becomes the browser, with the ends of the pipes where it looks for them."""


class Page:
    """One page in a browser, and all that it complained of or asked the network for."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out, self._in = os.fdopen(to_browser, "wb", 0), os.fdopen(from_browser, "rb", 0)
        self._rest, self._last, self._session, self._loaded = b"", 0, "", False
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def start(self) -> None:
        """Wait for the browser, and listen to what the page complains of."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        """Let go of the pipes."""
        self._out.close()
        self._in.close()

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its result."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._last:
                assert "error" not in found, found
                result: dict[str, Any] = found["result"]
                return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            block = self._in.read(1 << 16)
            assert block, "the browser has gone"
            self._rest += block
        text, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(text)
        self._note(found.get("method"), found.get("params", {}))
        return found

    def _note(self, method: str | None, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(params["args"]))
        elif method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])

    def open(self, url: str) -> None:
        """Load another page and wait until it stands."""
        self._loaded = False
        self.call("Page.navigate", url=url)
        while not self._loaded:
            self._next()

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def size(self, width: int, height: int = 900) -> None:
        """The window, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)  # fmt: skip

    def scheme(self, name: str) -> None:
        """`light` or `dark`, as the reader's system says."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def press(self, key: str, text: str = "", *, held: str = "") -> None:
        """A key, as `Tab`, `Enter` or `/`; `held` is `Shift` or `Control`."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=KEYS[key],
                      modifiers=MODIFIERS[held], text=text if kind == "keyDown" else "")  # fmt: skip

    def point(self, selector: str) -> None:
        """Move the mouse to the middle of the first element that matches."""
        x, y = self._middle(selector)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def tap(self, selector: str) -> None:
        """Touch the middle of the first element that matches, with one finger."""
        x, y = self._middle(selector)
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def _middle(self, selector: str) -> tuple[float, float]:
        found = self.run(
            f"(() => {{ const it = document.querySelector({json.dumps(selector)});"
            " it.scrollIntoView({block: 'center', behavior: 'instant'}); const box = it.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2] })()"
        )
        return found[0], found[1]

    def focused(self) -> dict[str, str]:
        """What a screen reader is told of the element that has the focus: its role, name and description."""
        element = self.call("Runtime.evaluate", expression="document.activeElement")["result"]["objectId"]
        nodes = self.call("Accessibility.getPartialAXTree", objectId=element, fetchRelatives=False)["nodes"]
        return {part: nodes[0].get(part, {}).get("value", "") for part in ("role", "name", "description")}

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """A screenshot as PNG."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A browser with its profile below `folder`."""
    assert PROGRAM, "no Chromium here"
    reads, to_browser = os.pipe()
    from_browser, writes = os.pipe()
    words = [PROGRAM, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    process = subprocess.Popen([sys.executable, "-c", MOVE, str(reads), str(writes), *words], pass_fds=(reads, writes),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    os.close(reads)
    os.close(writes)
    page = Page(to_browser, from_browser)
    try:
        page.start()
        yield page
    finally:
        page.close()
        process.terminate()
        process.wait(timeout=20)
