import pytest

torch = pytest.importorskip("torch")

from blox_env.devices.runtimes import load_runtime


def test_threads_hold_for_the_block_alone():
    before = torch.get_num_threads()
    with load_runtime("torch-cpu", threads=2).environment():
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before


def test_the_module_runs_without_gradients_on_the_same_input():
    runtime = load_runtime("torch-cpu")
    network = torch.nn.Linear(4, 2)
    run = runtime.load(network, (3, 4))
    first, second = run(), run()
    assert not first.requires_grad
    assert torch.equal(first, second)
    assert not network.training
