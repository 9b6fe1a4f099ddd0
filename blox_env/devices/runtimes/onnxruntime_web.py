"""ONNX Runtime's WebAssembly in a headless Chromium: what a page of a browser would meet.

A server on this machine gives the page the library, which is not Python's: ``npm install
onnxruntime-web``, in the folder where measuring starts, or where ``BLOX_ENV_ORT_WEB`` points. The
page runs and times inferences by the browser's own clock, which resolves 5 microseconds as the page
is isolated from other origins.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from blox_env.devices.runtimes.base import Runtime, versions_of
from blox_env.devices.runtimes.onnx_export import normal_input, onnx_bytes
from blox_env.ground.extras import extra, extra_module

PLACE = "BLOX_ENV_ORT_WEB"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--no-zygote", "--disable-gpu", "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
)  # fmt: skip
PAGE = """<!doctype html><title>latency</title><script src="/ort.wasm.min.js"></script><script>
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = "/";
let session = null, feed = null;
async function load(shape) {
  if (session) await session.release();
  session = await ort.InferenceSession.create("/model", {executionProviders: ["wasm"],
    graphOptimizationLevel: "all", executionMode: "sequential"});
  const data = new Float32Array(await (await fetch("/input")).arrayBuffer());
  feed = {[session.inputNames[0]]: new ort.Tensor("float32", data, shape)};
}
async function once() {
  const started = performance.now();
  const answer = await session.run(feed);
  const took = performance.now() - started;
  return [took, Array.from(answer[session.outputNames[0]].data)];
}
</script>"""
KINDS = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}


class OnnxRuntimeWeb(Runtime):
    """ONNX Runtime's WebAssembly (SIMD, one thread) in a headless Chromium.

    Raises:
        ValueError: for more than one thread.
        FileNotFoundError: where the library or the browser is missing; says what to install.
    """

    name = "onnxruntime-web"

    def __init__(self, threads: int = 1, precision: str | None = None) -> None:
        super().__init__(threads, precision)
        if threads != 1:
            raise ValueError(f"threads must be 1 in the browser, got {threads}")
        self._driver: Any = None
        self._served: dict[str, bytes] = {}

    @cached_property
    def _library(self) -> Path:
        given = os.environ.get(PLACE)
        folder = Path(given) if given else Path("node_modules/onnxruntime-web")
        if not (folder / "dist" / "ort.wasm.min.js").is_file():
            raise FileNotFoundError(
                f"onnxruntime-web is not in {folder}: npm install onnxruntime-web, here or where "
                f"{PLACE} points"
            )
        return folder

    @cached_property
    def _browser(self) -> str:
        found = next((path for path in map(shutil.which, BROWSERS) if path), None)
        if found is None or shutil.which("chromedriver") is None:
            raise FileNotFoundError(
                f"measuring in the browser needs chromedriver and one of {', '.join(BROWSERS)}: "
                "apt install chromium chromium-driver"
            )
        return found

    def versions(self) -> dict[str, str]:
        """Of onnxruntime-web (it decides the kernels), the browser, torch, onnx, Python."""
        package = json.loads((self._library / "package.json").read_text())
        command = [self._browser, "--version"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return {
            "onnxruntime-web": str(package["version"]),
            "browser": " ".join(told.split()[:2]),
            **versions_of("onnx", "torch"),
        }

    def settings(self) -> dict[str, str]:
        """Settings of every session."""
        return {
            "provider": "wasm",
            "wasm": "SIMD",
            "num_threads": "1",
            "execution_mode": "sequential",
            "graph_optimization_level": "all",
            "precision": self.precision,
            "batch_norms": "folded",
            "clock": "performance.now, isolated from other origins",
        }

    def export(self, network: Any, input_shape: tuple[int, ...]) -> bytes:
        """ONNX bytes."""
        return onnx_bytes(network, input_shape)

    @contextmanager
    def environment(self) -> Iterator[None]:
        """A server and a browser, which keep to the cores of this process."""
        with extra("browser", "measuring in the browser"):
            from selenium.webdriver import Chrome, ChromeOptions
            from selenium.webdriver.chrome.service import Service
        options = ChromeOptions()
        options.binary_location = self._browser
        server = ThreadingHTTPServer(
            ("127.0.0.1", 0), _handler(self._library / "dist", self._served)
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            for flag in (*FLAGS, f"--user-data-dir={profile}"):
                options.add_argument(flag)
            try:
                self._driver = Chrome(
                    options=options, service=Service(shutil.which("chromedriver"))
                )
                self._driver.set_script_timeout(120)
                self._driver.get(f"http://127.0.0.1:{server.server_port}/")
                yield
            finally:
                if self._driver is not None:
                    self._driver.quit()
                self._driver = None
                server.shutdown()
                server.server_close()

    def load(self, model: bytes, input_shape: tuple[int, ...]) -> Callable[[], object]:
        """A fresh session in the page; the input is the same as that of the other runtimes."""
        if self._driver is None:
            raise RuntimeError("load models inside the context of environment()")
        self._served["/model"] = model
        self._served["/input"] = normal_input(input_shape).tobytes()
        self._ask(f"load({json.dumps(list(input_shape))})")

        def run() -> object:
            return self._ask("once()")

        return run

    def timed(self, run: Callable[[], object]) -> int:
        """Nanoseconds by the page's clock."""
        answer: Any = run()
        return int(1e6 * answer[0])

    def processor_seconds(self) -> float:
        """Of this process and of the browser's."""
        psutil = extra_module("psutil", "browser", "measuring in the browser")
        total = time.process_time()
        for child in psutil.Process().children(recursive=True):
            try:
                spent = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += spent.user + spent.system
        return total

    def _ask(self, call: str) -> Any:
        """Answer of a function of the page.

        Raises:
            RuntimeError: where it fails.
        """
        answer = self._driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"{call}.then(v => done([true, v ?? null]), e => done([false, String(e)]));"
        )
        if not answer[0]:
            raise RuntimeError(f"the browser says: {answer[1][:500]}")
        return answer[1]


def _handler(folder: Path, served: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    """A server of the page, of the library's files, and of the model at hand."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind = KINDS.get(Path(self.path).suffix, "application/octet-stream")
            if self.path == "/":
                content, kind = PAGE.encode(), "text/html"
            elif self.path in served:
                content = served[self.path]
            elif (folder / Path(self.path).name).is_file():
                content = (folder / Path(self.path).name).read_bytes()
            else:
                self.send_error(404)
                return
            self.send_response(200)
            for name, value in (
                ("Content-Type", kind),
                ("Content-Length", str(len(content))),
                ("Cross-Origin-Opener-Policy", "same-origin"),
                ("Cross-Origin-Embedder-Policy", "require-corp"),
                ("Cache-Control", "no-store"),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
