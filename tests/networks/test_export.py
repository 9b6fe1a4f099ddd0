import io
import zipfile

import pytest

torch = pytest.importorskip("torch")

from blox_env.networks.export import pt2_bytes


def test_the_file_computes_what_the_network_computes():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3), torch.nn.Dropout())
    network.train()
    content = pt2_bytes(network, (2, 3, 2, 2), {"note": "made up"})
    assert network.training, "exporting changed the mode"
    loaded = torch.export.load(io.BytesIO(content)).module()
    image = torch.linspace(0, 1, 24).reshape(2, 3, 2, 2)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(image), network.eval()(image))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("/extra/note"))
        assert archive.read(name) == b"made up"
