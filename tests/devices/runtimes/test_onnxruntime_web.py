"""The browser as a runtime; what needs Chromium and onnxruntime-web is skipped without them."""

import shutil
import threading
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer

import numpy as np
import pytest

from blox_env.devices.machine import OthersClock
from blox_env.devices.runtimes import load_runtime
from blox_env.devices.runtimes.onnxruntime_web import PLACE, OnnxRuntimeWeb, _handler
from blox_env.spaces import BloxSpace

SHAPE = (1, 3, 32, 32)


def library(folder):
    (folder / "dist").mkdir(parents=True)
    (folder / "dist" / "ort.wasm.min.js").write_text("// made up")
    (folder / "package.json").write_text('{"version": "1.2.3"}')
    return folder


def test_more_threads_are_refused():
    with pytest.raises(ValueError, match="threads must be 1 in the browser, got 2"):
        load_runtime("onnxruntime-web", threads=2)
    with pytest.raises(ValueError, match="precision"):
        load_runtime("onnxruntime-web", precision="int8")


def test_what_is_missing_is_named_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv(PLACE, str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=f"nowhere: npm install onnxruntime-web.*{PLACE}"):
        OnnxRuntimeWeb().versions()
    monkeypatch.setenv(PLACE, str(library(tmp_path / "library")))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="apt install chromium chromium-driver"):
        OnnxRuntimeWeb().versions()


def test_models_are_loaded_in_a_running_browser_only():
    with pytest.raises(RuntimeError, match=r"environment\(\)"):
        OnnxRuntimeWeb().load(b"", SHAPE)


def test_the_server_gives_the_library_and_the_model_and_nothing_else(tmp_path):
    served = {"/model": b"bytes"}
    (tmp_path / "secret").write_text("no part of the library")
    folder = library(tmp_path / "library") / "dist"
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(folder, served))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{server.server_port}"
    try:
        with urllib.request.urlopen(place) as page:
            assert page.headers["Content-Type"] == "text/html"
            assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert page.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        with urllib.request.urlopen(f"{place}/model") as model:
            assert model.read() == b"bytes"
        with urllib.request.urlopen(f"{place}/ort.wasm.min.js") as script:
            assert script.headers["Content-Type"] == "text/javascript"
        for path in ("/../../secret", "/secret", "/nothing.js"):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(place + path)
    finally:
        server.shutdown()
        server.server_close()


def test_time_of_helping_processes_is_not_that_of_others():
    spent = iter([0.0, 1e6])
    assert OthersClock(own=lambda: next(spent))() == 0.0


@pytest.fixture
def browser():
    pytest.importorskip("selenium")
    pytest.importorskip("onnxscript")
    runtime = OnnxRuntimeWeb()
    try:
        runtime.versions()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    with runtime.environment():
        yield runtime


@pytest.mark.faults
def test_the_browser_computes_what_onnxruntime_computes(browser):
    network = browser.build(BloxSpace(), (3, 20, 40), seed=0, width=8, classes=10)
    model = browser.export(network, SHAPE)
    truth = load_runtime("onnxruntime").load(model, SHAPE)()[0]
    before = browser.processor_seconds()
    run = browser.load(model, SHAPE)
    took = [browser.timed(run) for _ in range(5)]
    assert all(0 < ns < 60e9 for ns in took)
    np.testing.assert_allclose(run()[1], truth.ravel(), atol=1e-5)
    assert browser.processor_seconds() > before
    with pytest.raises(RuntimeError, match="the browser says"):
        browser.load(b"no model", SHAPE)
