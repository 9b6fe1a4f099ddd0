"""Networks as files of ``torch.export``."""

from __future__ import annotations

import io
from collections.abc import Mapping

import torch
from torch import nn


def pt2_bytes(
    network: nn.Module, input_shape: tuple[int, ...], extra_files: Mapping[str, str]
) -> bytes:
    """A ``.pt2`` file of a network in evaluation mode, for one input shape.

    ``torch.export.load(file).module()`` runs it, without this package.

    Args:
        network: what to export; its mode is left as it was.
        input_shape: of its one input.
        extra_files: texts to put beside it, by name.
    """
    training = network.training
    network.eval()
    try:
        program = torch.export.export(network, (torch.zeros(input_shape),))
    finally:
        network.train(training)
    file = io.BytesIO()
    torch.export.save(program, file, extra_files=dict(extra_files))
    return file.getvalue()
