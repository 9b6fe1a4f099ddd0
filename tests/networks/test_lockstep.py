"""Networks in lockstep train as each would alone."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from blox_env.networks.layers import Nets
from blox_env.networks.lockstep import Lockstep
from blox_env.networks.recipe import Recipe
from blox_env.networks.run import DeviceTask, Run
from blox_env.networks.tasks import Split, Task
from blox_env.spaces import BloxSpace


def noise(side=8, batch=6, width=8):
    rng = np.random.default_rng(0)

    def split(n):
        images = rng.integers(0, 256, (n, 3, side, side)).astype(np.uint8)
        return Split(images, rng.integers(0, 4, n), np.arange(n))

    return Task("noise", "", split(3 * batch), split(20), split(10), classes=4, width=width)


def in_step(networks, recipe, task):
    data = DeviceTask.load(task, 1, torch.device("cpu"))
    rows = BloxSpace().sample(np.random.default_rng(3), networks).tolist()
    trainings = [(row, seed) for seed, row in enumerate(rows)]
    return Lockstep(trainings, data, recipe), [Run(r, s, data, recipe) for r, s in trainings], data


@torch.no_grad()
def answers(together, data):
    """Logits of every network for the validation pictures."""
    images = torch.nn.functional.pad(data.val[0].permute(0, 2, 3, 1), (0, 5)).reshape(1, -1, 8)
    together.training = False
    features, _ = together.forward(Nets(images, torch.zeros(together.networks, dtype=torch.int64)))
    together.training = True
    return together._logits(features, *together._head_values())


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_each_network_trains_as_alone(optimizer):
    rate = 0.05 if optimizer == "sgd" else 1e-3
    recipe = Recipe(
        epochs=1, batch=6, peak_lr=rate, flip=1, shift=1, label_smoothing=0.1, optimizer=optimizer
    )
    together, alone, data = in_step(5, recipe, noise())
    first = answers(together, data)
    for _ in range(2):
        together.step()
        for run in alone:
            run.step()
    now = answers(together, data)
    for number, run in enumerate(alone):
        run.network.eval()
        with torch.no_grad():
            expected = run.network(data.val[0])
        run.network.train()
        assert (now[number] - expected).norm() < 1e-2 * (first[number] - expected).norm()
        moment = together._moment[together._owner == number].norm()
        torch.testing.assert_close(moment, run._moment.norm(), rtol=1e-3, atol=0)
    together.evaluate(0, data.val, 10)
    for run in alone:
        run.evaluate(0, data.val, 10)
    assert together.correct[0].tolist() == [int(run.correct[0]) for run in alone]


def test_what_a_step_changes_can_be_taken_back():
    together, _, _ = in_step(3, Recipe(epochs=1, batch=6), noise())
    before = together.state()
    together.step()
    assert not torch.equal(together.state()[0], before[0])
    together.restore(before)
    for now, then in zip(together.state(), before, strict=True):
        assert torch.equal(now, then)


def test_engine_names():
    task = noise()
    data = DeviceTask.load(task, 0, torch.device("cpu"))
    with pytest.raises(ValueError, match="fused"):
        Lockstep([((0, 0, 0), 0)], data, Recipe(epochs=1, batch=6), "fusd")


def test_fused_engine_needs_a_width_that_is_a_power_of_two():
    data = DeviceTask.load(noise(width=12), 0, torch.device("cpu"))
    with pytest.raises(ValueError, match="width must be 8"):
        Lockstep([((0, 0, 0), 0)], data, Recipe(epochs=1, batch=6), "fused")
