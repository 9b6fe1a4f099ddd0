import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("openvino")
pytest.importorskip("onnx")

from blox_env.devices.runtimes import load_runtime
from blox_env.devices.runtimes.onnx_export import normal_input


def test_a_compiled_file_is_loaded_again_and_again():
    runtime = load_runtime("openvino")
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 5))
    with runtime.environment():
        content = runtime.export(network, (2, 3, 2, 2))
        outputs = [np.asarray(runtime.load(content, (2, 3, 2, 2))()) for _ in range(2)]
    np.testing.assert_array_equal(*outputs)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(normal_input((2, 3, 2, 2)))).numpy()
    np.testing.assert_allclose(outputs[0].reshape(2, 5), expected, atol=1e-3)
