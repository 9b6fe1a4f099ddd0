"""Zero-cost proxies: what an untrained network and one batch say about it.

Abdelfattah et al., *Zero-Cost Proxies for Lightweight NAS*, ICLR 2021, compare these:

- ``grad-norm``: Euclidean norm of the loss's gradient by the weights;
- ``jacov``: how little the gradients of different images by the pixels correlate (Mellor et al.,
  *Neural Architecture Search without Training*, 2020, version 1);
- ``naswot``: how different the images' patterns of active rectifiers are, as the logarithm of the
  determinant of their similarities (Mellor et al., ICML 2021);
- ``synflow``: logarithm of the sum over weights of ``|w ∂R/∂w|``, where R is what a network of the
  weights' magnitudes answers to an image of ones (Tanaka et al., NeurIPS 2020). It needs no images.

Each is made so that more should be better. Weights are drawn as trainings draw them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blox_env.ground.errors import check_positive_int
from blox_env.networks.full import normalised
from blox_env.networks.initial import new_network
from blox_env.networks.tasks import Task
from blox_env.networks.training import one_thread

PROXIES = ("grad-norm", "jacov", "naswot", "synflow")
_SMALL = 1e-5  # added to eigenvalues


def zero_cost(
    row: Sequence[int],
    task: Task,
    *,
    batch: int = 32,
    seed: int = 0,
    branch_gain: float = 1.0,
) -> dict[str, float]:
    """All proxies of one architecture, by name.

    Equal arguments give equal results on one machine; the caller's random state is left alone.

    Args:
        row: an architecture ``(slots,)`` of Blox or BloxXL.
        task: whose frame the network has; the first images of its training split are looked at.
        batch: number of these.
        seed: of the weights.
        branch_gain: as recipes have it, of the last batch norm of residual branches.
    """
    check_positive_int("batch", batch)
    labels = torch.from_numpy(task.train.labels[:batch])
    images = torch.from_numpy(np.ascontiguousarray(task.train.images[:batch]))
    if images.dtype == torch.uint8:
        images = normalised(images)
    with one_thread():
        network = new_network(row, task, torch.Generator().manual_seed(seed), branch_gain)
        flow = synflow(network, images[:1].shape)
        network = new_network(row, task, torch.Generator().manual_seed(seed), branch_gain)
        return {**_of_batch(network, images, labels), "synflow": flow}


def _of_batch(network: nn.Module, images: Tensor, labels: Tensor) -> dict[str, float]:
    """Proxies that look at images: one pass forwards, two back."""
    codes: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda _m, _i, out: codes.append((out > 0).flatten(1)))
        for module in network.modules()
        if isinstance(module, nn.ReLU)
    ]
    network.train()
    pictures = images.clone().requires_grad_(True)
    answers = network(pictures)
    for hook in hooks:
        hook.remove()
    (by_pixel,) = torch.autograd.grad(answers.sum(), pictures, retain_graph=True)
    loss = functional.cross_entropy(answers, labels)
    by_weight = torch.autograd.grad(loss, list(network.parameters()))
    norm = torch.sqrt(sum((g.double() ** 2).sum() for g in by_weight))  # type: ignore[arg-type]
    return {
        "grad-norm": float(norm),
        "jacov": jacobian_score(by_pixel.flatten(1).double().numpy()),
        "naswot": code_score([code.double().numpy() for code in codes]),
    }


def jacobian_score(gradients: np.ndarray) -> float:
    """Score of the correlations between images' gradients ``(n, pixels)``; 0 correlation is best.

    Minus the divergence ``Σ log(v + k) + 1 / (v + k)`` over eigenvalues v of the correlations. A
    gradient that is the same everywhere correlates with none.
    """
    centred = gradients - gradients.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    alike = unit @ unit.T
    np.fill_diagonal(alike, 1.0)
    values = np.linalg.eigvalsh(alike)
    shifted = np.maximum(values, 0.0) + _SMALL
    return -float((np.log(shifted) + 1 / shifted).sum())


def code_score(codes: Sequence[np.ndarray]) -> float:
    """Logarithm of the determinant of the similarity of images.

    Args:
        codes: of each rectifier which units are active, 0 or 1 ``(n, units)``. Two images are as
            similar as the number of units that both have active, or both have not.
    """
    alike = sum(code @ code.T + (1 - code) @ (1 - code).T for code in codes)
    return float(np.linalg.slogdet(np.asarray(alike))[1])


def synflow(network: nn.Module, shape: Sequence[int]) -> float:
    """Logarithm of the synaptic flow; the network's weights become their magnitudes.

    Args:
        network: one that was not trained, whose batch norms have seen nothing yet.
        shape: of the image of ones ``(1, channels, h, w)``.
    """
    network.eval().double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    answer = network(torch.ones(tuple(shape), dtype=torch.float64)).sum()
    gradients = torch.autograd.grad(answer, list(network.parameters()))
    flow = sum(
        float((p.detach() * g).abs().sum())
        for p, g in zip(network.parameters(), gradients, strict=True)
    )
    return float(np.log(flow))
