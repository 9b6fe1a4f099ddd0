"""Triton kernels of lockstep training that pass over activations once; see ``kernels``."""

from __future__ import annotations

from blox_env.ground.extras import extra

with extra("gpu", "training with fused kernels"):
    import triton
    import triton.language as tl

COUNTS = ["pixels", "rounds"]
NORM = ["stats_ptr", "mean_ptr", "var_ptr", "scale_ptr", "shift_ptr", "dscale_ptr", "dshift_ptr"]


@triton.jit
def _channels(ptr, k, c, C: tl.constexpr):
    """Numbers of every channel of a network; parameters of layers are aligned."""
    return tl.load(tl.multiple_of(ptr + k * C, 16) + c)


@triton.jit
def _moments(stats_ptr, k, c, pixels, C: tl.constexpr):
    """Mean and biased variance of every channel."""
    count = pixels.to(tl.float32)
    stats_ptr = tl.multiple_of(stats_ptr + k * (2 * C), 16)
    mean = tl.load(stats_ptr + c) / count
    square = tl.load(stats_ptr + (C + c)) / count
    return mean, tl.maximum(square - mean * mean, 0.0)


@triton.jit(do_not_specialize=[*COUNTS, "train"], do_not_specialize_on_alignment=NORM[:5])
def norm(
    y_ptr, z_ptr, zi_ptr, r_ptr, ri_ptr, stats_ptr, mean_ptr, var_ptr, scale_ptr, shift_ptr,
    pixels, rounds, train, C: tl.constexpr, BLOCK: tl.constexpr, ADD: tl.constexpr,
):  # fmt: skip
    """Batch norm and ReLU, then a residual; the first program updates the running statistics."""
    k = tl.program_id(1)
    y_ptr += k.to(tl.int64) * pixels * C
    z_ptr += tl.load(zi_ptr + k) * pixels * C
    c = tl.arange(0, C)
    mean, var = _moments(stats_ptr, k, c, pixels, C)
    old_mean, old_var = _channels(mean_ptr, k, c, C), _channels(var_ptr, k, c, C)
    if train == 0:
        mean, var = old_mean, old_var
    elif tl.program_id(0) == 0:
        unbiased = var * (pixels.to(tl.float32) / (pixels - 1).to(tl.float32))
        tl.store(mean_ptr + k * C + c, old_mean + 0.1 * (mean - old_mean))
        tl.store(var_ptr + k * C + c, old_var + 0.1 * (unbiased - old_var))
    rstd = 1.0 / tl.sqrt(var + 1e-5)
    scale, shift = _channels(scale_ptr, k, c, C), _channels(shift_ptr, k, c, C)
    if ADD:
        r_ptr += tl.load(ri_ptr + k) * pixels * C
    for i in range(rounds):
        p = (tl.program_id(0) * rounds + i) * BLOCK + tl.arange(0, BLOCK)
        live = (p < pixels)[:, None]
        where = p[:, None] * C + c[None, :]
        y = tl.load(y_ptr + where, mask=live, other=0.0).to(tl.float32)
        z = (y - mean[None, :]) * rstd[None, :] * scale[None, :] + shift[None, :]
        z = tl.maximum(z, 0.0)
        if ADD:
            z += tl.load(r_ptr + where, mask=live, other=0.0).to(tl.float32)
        tl.store(z_ptr + where, z.to(z_ptr.dtype.element_ty), mask=live)


@triton.jit(do_not_specialize=COUNTS, do_not_specialize_on_alignment=NORM)
def norm_sums(
    g_ptr, gi_ptr, y_ptr, stats_ptr, scale_ptr, shift_ptr, dscale_ptr, dshift_ptr, pixels, rounds,
    C: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients of batch norm and ReLU by scale and shift."""
    k = tl.program_id(1)
    y_ptr += k.to(tl.int64) * pixels * C
    g_ptr += tl.load(gi_ptr + k) * pixels * C
    c = tl.arange(0, C)
    mean, var = _moments(stats_ptr, k, c, pixels, C)
    rstd = 1.0 / tl.sqrt(var + 1e-5)
    scale, shift = _channels(scale_ptr, k, c, C), _channels(shift_ptr, k, c, C)
    total = tl.zeros([BLOCK, C], tl.float32)
    product = tl.zeros([BLOCK, C], tl.float32)
    for i in range(rounds):
        p = (tl.program_id(0) * rounds + i) * BLOCK + tl.arange(0, BLOCK)
        live = (p < pixels)[:, None]
        where = p[:, None] * C + c[None, :]
        y = tl.load(y_ptr + where, mask=live, other=0.0).to(tl.float32)
        g = tl.load(g_ptr + where, mask=live, other=0.0).to(tl.float32)
        x = (y - mean[None, :]) * rstd[None, :]
        g = tl.where(x * scale[None, :] + shift[None, :] > 0, g, 0.0)
        total += g
        product += g * x
    tl.atomic_add(dshift_ptr + k * C + c, tl.sum(total, 0), sem="relaxed")
    tl.atomic_add(dscale_ptr + k * C + c, tl.sum(product, 0), sem="relaxed")


@triton.jit(do_not_specialize=COUNTS, do_not_specialize_on_alignment=NORM)
def norm_back(
    g_ptr, gi_ptr, y_ptr, out_ptr, stats_ptr, scale_ptr, shift_ptr, dscale_ptr, dshift_ptr,
    pixels, rounds, C: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradient of batch norm and ReLU by their input."""
    k = tl.program_id(1)
    y_ptr += k.to(tl.int64) * pixels * C
    out_ptr += k.to(tl.int64) * pixels * C
    g_ptr += tl.load(gi_ptr + k) * pixels * C
    c = tl.arange(0, C)
    mean, var = _moments(stats_ptr, k, c, pixels, C)
    rstd = 1.0 / tl.sqrt(var + 1e-5)
    scale, shift = _channels(scale_ptr, k, c, C), _channels(shift_ptr, k, c, C)
    count = pixels.to(tl.float32)
    mean_g = _channels(dshift_ptr, k, c, C) / count
    mean_gx = _channels(dscale_ptr, k, c, C) / count
    for i in range(rounds):
        p = (tl.program_id(0) * rounds + i) * BLOCK + tl.arange(0, BLOCK)
        live = (p < pixels)[:, None]
        where = p[:, None] * C + c[None, :]
        y = tl.load(y_ptr + where, mask=live, other=0.0).to(tl.float32)
        g = tl.load(g_ptr + where, mask=live, other=0.0).to(tl.float32)
        x = (y - mean[None, :]) * rstd[None, :]
        g = tl.where(x * scale[None, :] + shift[None, :] > 0, g, 0.0)
        out = (scale * rstd)[None, :] * (g - mean_g[None, :] - x * mean_gx[None, :])
        tl.store(out_ptr + where, out.to(out_ptr.dtype.element_ty), mask=live)


@triton.jit
def pool(
    a_ptr, b_ptr, out_ptr, AREA: tl.constexpr, C: tl.constexpr, BLOCK: tl.constexpr,
    PRODUCT: tl.constexpr,
):  # fmt: skip
    """Mean of every channel of a picture, or sum of products with another picture."""
    picture = tl.program_id(1).to(tl.int64) * tl.num_programs(0) + tl.program_id(0)
    c = tl.arange(0, C)
    total = tl.zeros([BLOCK, C], tl.float32)
    for start in range(0, AREA, BLOCK):
        p = start + tl.arange(0, BLOCK)
        where = picture * (AREA * C) + (p[:, None] * C + c[None, :])
        live = (p < AREA)[:, None]
        a = tl.load(a_ptr + where, mask=live, other=0.0).to(tl.float32)
        if PRODUCT:
            a *= tl.load(b_ptr + where, mask=live, other=0.0).to(tl.float32)
        total += a
    result = tl.sum(total, 0)
    if not PRODUCT:
        result = result / AREA
    tl.store(out_ptr + picture * C + c, result)


@triton.jit(do_not_specialize=COUNTS)
def gate(
    a_ptr, s_ptr, d_ptr, out_ptr, pixels, AREA: tl.constexpr, C: tl.constexpr,
    BLOCK: tl.constexpr, ADD: tl.constexpr,
):  # fmt: skip
    """Pictures times a number for each channel, and the gradient: plus another over the area."""
    k = tl.program_id(1).to(tl.int64)
    a_ptr += k * pixels * C
    out_ptr += k * pixels * C
    pictures = pixels // AREA
    p = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    c = tl.arange(0, C)
    live = (p < pixels)[:, None]
    where = p[:, None] * C + c[None, :]
    which = (k * pictures + p // AREA)[:, None] * C + c[None, :]
    value = tl.load(a_ptr + where, mask=live, other=0.0).to(tl.float32)
    value *= tl.load(s_ptr + which, mask=live, other=0.0)
    if ADD:
        value += tl.load(d_ptr + which, mask=live, other=0.0) / AREA
    tl.store(out_ptr + where, value.to(out_ptr.dtype.element_ty), mask=live)


@triton.jit(do_not_specialize=["size"])
def combine(a_ptr, b_ptr, abit_ptr, bbit_ptr, out_ptr, size, BLOCK: tl.constexpr):
    """Sum of what the bits of a network admit of two; what they do not admit is not read."""
    k = tl.program_id(1).to(tl.int64)
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = at < size
    first, second = tl.load(abit_ptr + k) != 0, tl.load(bbit_ptr + k) != 0
    a = tl.load(a_ptr + k * size + at, mask=live & first, other=0.0).to(tl.float32)
    b = tl.load(b_ptr + k * size + at, mask=live & second, other=0.0).to(tl.float32)
    tl.store(out_ptr + k * size + at, (a + b).to(out_ptr.dtype.element_ty), mask=live)


@triton.jit(do_not_specialize=["pixels", "border"])
def pictures(
    padded_ptr, start_ptr, sign_ptr, out_ptr, pixels, border,
    CHANNELS: tl.constexpr, C: tl.constexpr, H: tl.constexpr, W: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Cut pictures out of padded ones, mirrored where the sign is -1; further channels are 0."""
    k = tl.program_id(1).to(tl.int64)
    p = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    c = tl.arange(0, C)
    live = p < pixels
    x, y, b = p % W, p // W % H, p // (H * W)
    number = k * (pixels // (H * W)) + b
    start = tl.load(start_ptr + number, mask=live, other=0)
    sign = tl.load(sign_ptr + number, mask=live, other=0)
    across = W + 2 * border
    area = across * (H + 2 * border)
    where = (start + y * across + sign * x)[:, None] + (c * area)[None, :]
    mask = live[:, None] & (c < CHANNELS)[None, :]
    value = tl.load(padded_ptr + where, mask=mask, other=0.0)
    where = k * pixels * C + (p[:, None] * C + c[None, :])
    tl.store(out_ptr + where, value, mask=live[:, None])
