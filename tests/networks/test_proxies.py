"""Zero-cost proxies against what they are defined as."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from blox_env.networks.proxies import (
    PROXIES,
    code_score,
    jacobian_score,
    synflow,
    zero_cost,
)
from blox_env.networks.tasks import load_task


def test_equal_arguments_give_equal_proxies_and_leave_the_random_state_alone():
    task, before = load_task("digits"), torch.random.get_rng_state()
    one = zero_cost([6, 11, 11], task, batch=8)
    assert set(one) == set(PROXIES)
    assert all(np.isfinite(list(one.values())))
    assert zero_cost([6, 11, 11], task, batch=8) == one
    assert zero_cost([6, 11, 11], task, batch=8, seed=1) != one
    assert torch.equal(torch.random.get_rng_state(), before)


def test_synflow_of_linear_layers_is_the_sum_over_paths_times_the_layers():
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, -2.0], [3.0, 4.0]]))
        network[1].weight.copy_(torch.tensor([[-5.0, 6.0]]))
    paths = 5 * (1 + 2) + 6 * (3 + 4)
    assert synflow(network, (1, 2)) == pytest.approx(np.log(2 * paths))


def test_different_codes_score_higher():
    alike, apart = np.ones((3, 40)), np.eye(3, 40)
    apart[:, 20:] = np.random.default_rng(0).integers(0, 2, (3, 20))
    alike[0, 0] = 0
    assert code_score([apart]) > code_score([alike + 0.0, alike])
    by_hand = np.array([[4.0, 2.0], [2.0, 4.0]])  # four units, two of them differ
    codes = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 1.0]])
    assert code_score([codes]) == pytest.approx(np.log(np.linalg.det(by_hand)))


def test_gradients_that_do_not_correlate_score_highest():
    rng = np.random.default_rng(0)
    apart = rng.normal(size=(8, 4000))
    shared = rng.normal(size=4000)
    scores = [jacobian_score(apart + weight * shared) for weight in (0.0, 0.5, 2.0)]
    assert scores == sorted(scores, reverse=True)
    flat = np.vstack([apart, np.ones(4000)])  # the last one has no gradient
    assert jacobian_score(flat) == pytest.approx(scores[0] - 1, abs=0.01)
    assert scores[0] == pytest.approx(-8, abs=0.1)  # eigenvalues of 1: log 1 + 1 / 1 each


def test_the_gradient_of_a_loss_by_all_weights():
    from blox_env.networks.proxies import _of_batch

    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in network.parameters():
            weights.normal_(generator=generator)
    images = torch.randn(5, 1, 2, 2, generator=generator)
    labels = torch.tensor([0, 1, 1, 0, 1])
    found = _of_batch(network, images, labels)["grad-norm"]
    nn.functional.cross_entropy(network(images), labels).backward()
    squares = sum(float((p.grad**2).sum()) for p in network.parameters())
    assert found == pytest.approx(np.sqrt(squares), rel=1e-5)
