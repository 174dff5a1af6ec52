"""Resample between grids that share their outer edges (with torch: threaded, the same on CPU and GPU)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

Shape = tuple[int, int, int]


def resample_linear(image_zyx: npt.NDArray[np.float32], shape_zyx: Shape) -> npt.NDArray[np.float32]:
    """Trilinear, voxel centres aligned; when downsampling, averages over the new voxel first to avoid aliasing."""
    tensor = torch.from_numpy(np.ascontiguousarray(image_zyx))[None, None]
    if any(new * 2 <= old for old, new in zip(image_zyx.shape, shape_zyx, strict=True)):
        z, y, x = (min(old, new) for old, new in zip(image_zyx.shape, shape_zyx, strict=True))
        tensor = functional.adaptive_avg_pool3d(tensor, (z, y, x))
    return resample_tensor(tensor, shape_zyx)[0, 0].numpy()


def resample_tensor(tensor: torch.Tensor, shape_zyx: Shape) -> torch.Tensor:
    """(batch, channel, z, y, x) to another size, trilinear."""
    if tuple(tensor.shape[2:]) == shape_zyx:
        return tensor
    return functional.interpolate(tensor, size=shape_zyx, mode="trilinear", align_corners=False)
