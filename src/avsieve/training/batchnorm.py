"""Batch normalisation over a batch that several processes share, on any device.

PyTorch's own SyncBatchNorm refuses tensors on a CPU; this one needs only an all-reduce, so that gloo will do.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _Sum(torch.autograd.Function):
    """The sum of a tensor over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total


class SharedBatchNorm(_BatchNorm):
    """Normalise (B, C, ...) with mean and variance over the rows of all processes, in float32 at least.

    Processes may bring different numbers of rows, or none. Outside of training, and in a single process, it is
    PyTorch's.
    """

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002
        if input.dim() < 2:
            raise ValueError(f"expected (B, C, ...), got {input.dim()} dimensions")

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` normalised, in its own shape."""
        if not self.training or not distributed.is_initialized() or distributed.get_world_size() == 1:
            return super().forward(x)
        axes = [0, *range(2, x.dim())]
        shape = [1, -1] + [1] * (x.dim() - 2)
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        rows = wide.new_full((1,), x.numel() // x.shape[1])
        # The mean first, then the squares about it: the difference of two large sums would lose digits.
        total = _Sum.apply(torch.cat([wide.sum(axes), rows]))
        count = total[-1].detach().clamp(min=1)
        mean = total[:-1] / count
        centred = wide - mean.view(shape)
        variance = _Sum.apply(centred.square().sum(axes)) / count
        self._follow(mean.detach(), variance.detach() * count / (count - 1).clamp(min=1))
        normal = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            normal = normal * self.weight.view(shape) + self.bias.view(shape)
        return normal.to(x.dtype)

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        if self.num_batches_tracked is None or self.running_mean is None or self.running_var is None:
            return
        self.num_batches_tracked += 1
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


def shared_statistics(module: nn.Module) -> None:
    """Replace every batch normalisation inside ``module``; parameters, buffers and their names stay."""
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm):
            shared = SharedBatchNorm(
                child.num_features, child.eps, child.momentum, child.affine, child.track_running_stats
            )
            shared._parameters, shared._buffers = child._parameters, child._buffers
            shared.train(child.training)
            setattr(module, name, shared)
        else:
            shared_statistics(child)
