"""Triton kernels of networks that train side by side: ``(networks, pixels, channels)``, contiguous.

The second axis of every grid is the network. Tensors of more networks than take part come with an
index, ``tensor[index[k]]`` being the data of the ``k``-th that does. Weights are ``(networks, c',
taps, c)``. Sums over pixels are added to float32 zeros.
"""

from __future__ import annotations

from blox_env.ground.extras import extra
from blox_env.networks.passes import combine, gate, norm, norm_back, norm_sums, pictures, pool

with extra("gpu", "training with fused kernels"):
    import triton
    import triton.language as tl

__all__ = [
    "combine", "convolve", "convolve_weight", "depthwise", "depthwise_weight", "gate", "norm",
    "norm_back", "norm_sums", "pictures", "pool",
]  # fmt: skip
COUNTS = ["pixels", "rounds"]


@triton.jit
def _source(p, tap, H, W, IH, IW, K: tl.constexpr, S: tl.constexpr, BACK: tl.constexpr):
    """Pixel of the other side that a tap joins to pixel ``p``, and whether there is one."""
    x, q = p % W, p // W
    y, b = q % H, q // H
    pad: tl.constexpr = K // 2 if K % 2 == 1 else 0
    ky, kx = tap // K, tap % K
    if BACK:
        y = y[:, None] + pad - ky[None, :]
        x = x[:, None] + pad - kx[None, :]
        here = (y >= 0) & (x >= 0)
        if S == 2:
            here = here & (y % 2 == 0) & (x % 2 == 0)
            y, x = y // 2, x // 2
    else:
        y = (y * S)[:, None] + ky[None, :] - pad
        x = (x * S)[:, None] + kx[None, :] - pad
        here = (y >= 0) & (x >= 0)
    here = here & (y < IH) & (x < IW)
    return (b[:, None] * IH + y) * IW + x, here


@triton.jit(do_not_specialize=COUNTS, do_not_specialize_on_alignment=["w_ptr", "stats_ptr"])
def convolve(
    x_ptr, xi_ptr, w_ptr, y_ptr, yi_ptr, add_ptr, ai_ptr, stats_ptr, pixels, rounds,
    CA: tl.constexpr, CB: tl.constexpr, H: tl.constexpr, W: tl.constexpr, IH: tl.constexpr,
    IW: tl.constexpr, K: tl.constexpr, S: tl.constexpr, G: tl.constexpr, J: tl.constexpr,
    BLOCK: tl.constexpr, BACK: tl.constexpr, ADD: tl.constexpr,
):  # fmt: skip
    """Convolution with sums and sums of squares of its results; or its gradient by its input.

    Results are ``H`` by ``W`` with ``CB`` channels, sources ``IH`` by ``IW`` with ``CA``. A product
    sums over ``G`` taps at once, ``J`` columns.
    """
    k = tl.program_id(1)
    taps: tl.constexpr = K * K
    sources = pixels // (H * W) * (IH * IW)
    x_ptr += tl.load(xi_ptr + k) * sources * CA
    y_ptr += tl.load(yi_ptr + k) * pixels * CB
    if ADD:
        add_ptr += tl.load(ai_ptr + k) * pixels * CB
    w_ptr = tl.multiple_of(w_ptr + k * (taps * CA * CB), 16)
    j = tl.arange(0, J)
    n = tl.arange(0, CB)
    inner, ca = j // CA, j % CA
    total = tl.zeros([CB], tl.float32)
    squares = tl.zeros([CB], tl.float32)
    for i in range(rounds):
        p = (tl.program_id(0) * rounds + i) * BLOCK + tl.arange(0, BLOCK)
        live = p < pixels
        acc = tl.zeros([BLOCK, CB], tl.float32)
        for g in range(0, taps, G):
            tap = g + inner
            real = (inner < G) & (tap < taps)
            if K == 1:
                here = live[:, None] & real[None, :]
                x = tl.load(x_ptr + (p[:, None] * CA + ca[None, :]), mask=here, other=0.0)
            else:
                q, here = _source(p, tap, H, W, IH, IW, K, S, BACK)
                here = here & live[:, None] & real[None, :]
                x = tl.load(x_ptr + (q * CA + ca[None, :]), mask=here, other=0.0)
            if BACK:
                where = (ca * (taps * CB) + tap * CB)[:, None] + n[None, :]
            else:
                where = (tap * CA + ca)[:, None] + (n * (taps * CA))[None, :]
            w = tl.load(w_ptr + where, mask=real[:, None] & (n < CB)[None, :], other=0.0)
            acc = tl.dot(x, w, acc, input_precision="tf32x3")
        where = p[:, None] * CB + n[None, :]
        if ADD:
            acc += tl.load(add_ptr + where, mask=live[:, None], other=0.0).to(tl.float32)
        y = acc.to(y_ptr.dtype.element_ty)
        tl.store(y_ptr + where, y, mask=live[:, None])
        if not BACK:
            rounded = y.to(tl.float32)
            total += tl.sum(rounded, 0)
            squares += tl.sum(rounded * rounded, 0)
    if not BACK:
        tl.atomic_add(stats_ptr + k * (2 * CB) + n, total, sem="relaxed")
        tl.atomic_add(stats_ptr + k * (2 * CB) + CB + n, squares, sem="relaxed")


@triton.jit(do_not_specialize=COUNTS, do_not_specialize_on_alignment=["out_ptr"])
def convolve_weight(
    x_ptr, xi_ptr, g_ptr, out_ptr, pixels, rounds,
    CI: tl.constexpr, CO: tl.constexpr, H: tl.constexpr, W: tl.constexpr, IH: tl.constexpr,
    IW: tl.constexpr, K: tl.constexpr, S: tl.constexpr, G: tl.constexpr, J: tl.constexpr,
    GROUPS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradient of a convolution by its weights, ``G`` taps a program, added to ``out``."""
    k = tl.program_id(1)
    taps: tl.constexpr = K * K
    group, chunk = tl.program_id(0) % GROUPS, tl.program_id(0) // GROUPS
    sources = pixels // (H * W) * (IH * IW)
    x_ptr += tl.load(xi_ptr + k) * sources * CI
    g_ptr += k.to(tl.int64) * pixels * CO
    j = tl.arange(0, J)
    n = tl.arange(0, CO)
    inner, ci = j // CI, j % CI
    tap = group * G + inner
    real = (inner < G) & (tap < taps)
    acc = tl.zeros([J, CO], tl.float32)
    for i in range(rounds):
        p = (chunk * rounds + i) * BLOCK + tl.arange(0, BLOCK)
        live = p < pixels
        if K == 1:
            here = live[:, None] & real[None, :]
            x = tl.load(x_ptr + (p[:, None] * CI + ci[None, :]), mask=here, other=0.0)
        else:
            q, here = _source(p, tap, H, W, IH, IW, K, S, False)
            here = here & live[:, None] & real[None, :]
            x = tl.load(x_ptr + (q * CI + ci[None, :]), mask=here, other=0.0)
        g = tl.load(g_ptr + (p[:, None] * CO + n[None, :]), mask=live[:, None], other=0.0)
        acc = tl.dot(tl.trans(x), g, acc, input_precision="tf32x3")
    where = (tap * CI + ci)[:, None] + (n * (taps * CI))[None, :]
    out_ptr += k * (taps * CI * CO)
    tl.atomic_add(out_ptr + where, acc, mask=real[:, None] & (n < CO)[None, :], sem="relaxed")


@triton.jit(do_not_specialize=COUNTS, do_not_specialize_on_alignment=["w_ptr", "stats_ptr"])
def depthwise(
    x_ptr, w_ptr, y_ptr, stats_ptr, pixels, rounds,
    C: tl.constexpr, H: tl.constexpr, W: tl.constexpr, K: tl.constexpr, BLOCK: tl.constexpr,
    BACK: tl.constexpr,
):  # fmt: skip
    """Depthwise convolution with sums as in :func:`convolve`; or its gradient by its input."""
    k = tl.program_id(1)
    taps: tl.constexpr = K * K
    x_ptr += k.to(tl.int64) * pixels * C
    y_ptr += k.to(tl.int64) * pixels * C
    w_ptr = tl.multiple_of(w_ptr + k * (taps * C), 16 if C >= 8 else 8)
    c = tl.arange(0, C)
    total = tl.zeros([C], tl.float32)
    squares = tl.zeros([C], tl.float32)
    for i in range(rounds):
        p = (tl.program_id(0) * rounds + i) * BLOCK + tl.arange(0, BLOCK)
        live = p < pixels
        x, y = p % W, p // W % H
        acc = tl.zeros([BLOCK, C], tl.float32)
        for dy in tl.static_range(-(K // 2), K // 2 + 1):
            row = live & (y + dy >= 0) & (y + dy < H)
            for dx in tl.static_range(-(K // 2), K // 2 + 1):
                here = row & (x + dx >= 0) & (x + dx < W)
                where = (p + (dy * W + dx))[:, None] * C + c[None, :]
                value = tl.load(x_ptr + where, mask=here[:, None], other=0.0)
                if BACK:
                    tap = (K // 2 - dy) * K + K // 2 - dx
                else:
                    tap = (K // 2 + dy) * K + K // 2 + dx
                w = tl.load(w_ptr + (tap * C + c))
                acc += value.to(tl.float32) * w.to(tl.float32)[None, :]
        result = acc.to(y_ptr.dtype.element_ty)
        tl.store(y_ptr + (p[:, None] * C + c[None, :]), result, mask=live[:, None])
        if not BACK:
            rounded = result.to(tl.float32)
            total += tl.sum(rounded, 0)
            squares += tl.sum(rounded * rounded, 0)
    if not BACK:
        tl.atomic_add(stats_ptr + k * (2 * C) + c, total, sem="relaxed")
        tl.atomic_add(stats_ptr + k * (2 * C) + C + c, squares, sem="relaxed")


@triton.jit
def _shifted(x_ptr, p, row, x, c, dx, shift, C: tl.constexpr, W: tl.constexpr):
    here = row & (x + dx >= 0) & (x + dx < W)
    where = (p + (shift + dx))[:, None] * C + c[None, :]
    return tl.load(x_ptr + where, mask=here[:, None], other=0.0).to(tl.float32)


@triton.jit(do_not_specialize=COUNTS, do_not_specialize_on_alignment=["out_ptr"])
def depthwise_weight(
    x_ptr, g_ptr, out_ptr, pixels, rounds,
    C: tl.constexpr, H: tl.constexpr, W: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradient of a depthwise 5×5 convolution by its weights, one row of them a program."""
    k = tl.program_id(1)
    row, chunk = tl.program_id(0) % 5, tl.program_id(0) // 5
    x_ptr += k.to(tl.int64) * pixels * C
    g_ptr += k.to(tl.int64) * pixels * C
    c = tl.arange(0, C)
    sum0 = tl.zeros([BLOCK, C], tl.float32)
    sum1 = tl.zeros([BLOCK, C], tl.float32)
    sum2 = tl.zeros([BLOCK, C], tl.float32)
    sum3 = tl.zeros([BLOCK, C], tl.float32)
    sum4 = tl.zeros([BLOCK, C], tl.float32)
    for i in range(rounds):
        p = (chunk * rounds + i) * BLOCK + tl.arange(0, BLOCK)
        live = p < pixels
        x, y = p % W, p // W % H + row - 2
        inside = live & (y >= 0) & (y < H)
        shift = (row - 2) * W
        g = tl.load(g_ptr + (p[:, None] * C + c[None, :]), mask=inside[:, None], other=0.0)
        g = g.to(tl.float32)
        sum0 += g * _shifted(x_ptr, p, inside, x, c, -2, shift, C, W)
        sum1 += g * _shifted(x_ptr, p, inside, x, c, -1, shift, C, W)
        sum2 += g * _shifted(x_ptr, p, inside, x, c, 0, shift, C, W)
        sum3 += g * _shifted(x_ptr, p, inside, x, c, 1, shift, C, W)
        sum4 += g * _shifted(x_ptr, p, inside, x, c, 2, shift, C, W)
    out_ptr += (k * 25 + row * 5) * C + c
    tl.atomic_add(out_ptr, tl.sum(sum0, 0), sem="relaxed")
    tl.atomic_add(out_ptr + 1 * C, tl.sum(sum1, 0), sem="relaxed")
    tl.atomic_add(out_ptr + 2 * C, tl.sum(sum2, 0), sem="relaxed")
    tl.atomic_add(out_ptr + 3 * C, tl.sum(sum3, 0), sem="relaxed")
    tl.atomic_add(out_ptr + 4 * C, tl.sum(sum4, 0), sem="relaxed")
