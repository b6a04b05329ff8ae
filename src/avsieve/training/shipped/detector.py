"""A tiny face detector in SCRFD's output layout, and its loss.

Layout (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", ICLR 2022, as InsightFace
exports it): at strides 8, 16 and 32 two anchors a cell, each with a score (sigmoid applied), the distances from the
cell's corner point to the four sides of the box, and the offsets of five landmarks, both in strides; all scores first,
then boxes, then landmarks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDES = (8, 16, 32)
# Size in pixels of the faces that each of a cell's two anchors answers for, by stride.
ANCHOR_SIZES = ((16, 32), (64, 128), (256, 512))


def _separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class TinyDetector(nn.Module):
    """Detect faces in RGB images scaled by ``(x - 127.5) / 128``.

    ``forward`` takes (N, 3, H, W), H and W multiples of 32, and returns nine tensors: three of scores (N, A, 1), three
    of boxes (N, A, 4) and three of landmarks (N, A, 10), A = 2 H W / stride².
    """

    def __init__(self, widths: tuple[int, int, int, int, int] = (12, 24, 40, 96, 128), neck: int = 48) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.stem = nn.Sequential(
            nn.Conv2d(3, a, 3, 2, 1, bias=False), nn.BatchNorm2d(a), nn.ReLU(inplace=True), _separable(a, b, 2)
        )
        self.stages = nn.ModuleList(
            [
                nn.Sequential(_separable(b, c, 2), _separable(c, c)),
                nn.Sequential(_separable(c, d, 2), *(_separable(d, d) for _ in range(3))),
                nn.Sequential(_separable(d, e, 2), *(_separable(e, e) for _ in range(3))),
            ]
        )
        self.lateral = nn.ModuleList([nn.Conv2d(w, neck, 1) for w in (c, d, e)])
        self.smooth = nn.ModuleList([_separable(neck, neck) for _ in STRIDES])
        self.tower = _separable(neck, neck)
        self.score, self.box, self.marks = (nn.Conv2d(neck, 2 * n, 3, padding=1) for n in (1, 4, 10))
        # A face is rare: begin with scores near 0.02, or the first steps are all about the background.
        nn.init.constant_(self.score.bias, -4.0)  # type: ignore[arg-type]
        self.scales = nn.Parameter(torch.full((3, 2), 2.0))

    def raw(self, images: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Return score logits (N, A, 1), boxes (N, A, 4) and landmarks (N, A, 10), a tensor for each stride."""
        x = self.stem(images)
        maps = []
        for stage, lateral in zip(self.stages, self.lateral, strict=True):
            x = stage(x)
            maps.append(lateral(x))
        for i in (1, 0):
            maps[i] = maps[i] + F.interpolate(maps[i + 1], scale_factor=2.0, mode="nearest")
        scores, boxes, marks = [], [], []
        for i, (level, smooth) in enumerate(zip(maps, self.smooth, strict=True)):
            x = self.tower(smooth(level))
            scores.append(_rows(self.score(x), 1))
            boxes.append(F.softplus(_rows(self.box(x), 4)) * self.scales[i, 0])
            marks.append(_rows(self.marks(x), 10) * self.scales[i, 1])
        return scores, boxes, marks

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the nine outputs."""
        scores, boxes, marks = self.raw(images)
        return (*(torch.sigmoid(s) for s in scores), *boxes, *marks)


def _rows(x: Tensor, width: int) -> Tensor:
    """Turn (N, 2 width, h, w) into (N, 2 h w, width), the anchors of a cell next to each other."""
    return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, width)


def anchor_points(height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return for all anchors of an image, in the order of the outputs: points (A, 2), strides (A,), sizes (A,)."""
    points, strides, sizes = [], [], []
    for stride, pair in zip(STRIDES, ANCHOR_SIZES, strict=True):
        y, x = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
        grid = torch.stack([x, y], dim=-1).reshape(-1, 2).repeat_interleave(2, dim=0) * stride
        points.append(grid.float())
        strides.append(torch.full((len(grid),), float(stride)))
        sizes.append(torch.tensor(pair, dtype=torch.float32).repeat(len(grid) // 2))
    return torch.cat(points), torch.cat(strides), torch.cat(sizes)


def assign(points: Tensor, sizes: Tensor, faces: Tensor) -> Tensor:
    """Return for each anchor the face (A,) that it answers for, -1 for none, -2 where it should not be judged.

    An anchor answers for a face whose size it fits to within a factor 1.5 and whose middle part (0.22 of the sides)
    holds its point; the nearest face wins. Anchors that fit less well, in size or place, are left alone.

    Parameters
    ----------
    points, sizes
        Of the anchors: (A, 2) pixels and (A,).
    faces
        Boxes (F, 4): x1, y1, x2, y2.
    """
    if not len(faces):
        return torch.full((len(points),), -1, dtype=torch.long)
    centre = (faces[:, :2] + faces[:, 2:]) / 2
    extent = (faces[:, 2:] - faces[:, :2]).clamp_min(1)
    away = ((points[:, None] - centre) / extent).abs().amax(dim=2)
    misfit = (torch.log2(sizes[:, None]) - torch.log2(extent.prod(dim=1).sqrt())).abs()
    nearest = away.argmin(dim=1)
    rows = torch.arange(len(points))
    away, misfit = away[rows, nearest], misfit[rows, nearest]
    found = torch.full((len(points),), -1, dtype=torch.long)
    found[(away < 0.32) & (misfit < 1.1)] = -2
    good = (away < 0.22) & (misfit < 0.6)
    found[good] = nearest[good]
    return found


def detector_loss(
    network: TinyDetector, images: Tensor, faces: list[Tensor], marks: list[Tensor]
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of a batch and its parts.

    Scores are trained towards the overlap of their box (quality focal loss, Li et al., "Generalized Focal Loss",
    NeurIPS 2020, eq. 4), boxes by the generalised overlap (Rezatofighi et al., CVPR 2019), landmarks by their distance
    in units of the face.

    Parameters
    ----------
    images
        (N, 3, H, W), scaled.
    faces, marks
        For each image boxes (F, 4) and landmarks (F, 10) in pixels.
    """
    scores, boxes, points10 = (torch.cat(part, dim=1) for part in network.raw(images))
    points, strides, sizes = anchor_points(*images.shape[2:])
    targets = torch.zeros_like(scores[..., 0])
    judged = torch.ones_like(targets)
    box_losses, mark_losses, count = [], [], 0
    for n, (face, mark) in enumerate(zip(faces, marks, strict=True)):
        owner = assign(points, sizes, face)
        judged[n, owner == -2] = 0
        mine = torch.nonzero(owner >= 0)[:, 0]
        if not len(mine):
            continue
        goal, at, stride = face[owner[mine]], points[mine], strides[mine, None]
        sides = boxes[n, mine] * stride
        shown = torch.cat([at - sides[:, :2], at + sides[:, 2:]], dim=1)
        overlap, generalised = _overlap(shown, goal)
        targets[n, mine] = overlap.detach().clamp(0.01, 1)
        box_losses.append((1 - generalised).sum())
        extent = (goal[:, 2:] - goal[:, :2]).prod(dim=1, keepdim=True).sqrt()
        found = points10[n, mine] * stride + at.repeat(1, 5)
        mark_losses.append(F.smooth_l1_loss(found / extent, mark[owner[mine]] / extent, beta=0.02, reduction="sum"))
        count += len(mine)
    probability = torch.sigmoid(scores[..., 0])
    entropy = F.binary_cross_entropy_with_logits(scores[..., 0], targets, reduction="none")
    score_loss = (entropy * (probability.detach() - targets).abs().square() * judged).sum() / max(count, 1)
    zero = images.new_zeros(())
    box_loss = torch.stack(box_losses).sum() / count if box_losses else zero
    mark_loss = torch.stack(mark_losses).sum() / count if mark_losses else zero
    total = score_loss + 2.0 * box_loss + 3.0 * mark_loss
    return total, {"score": score_loss.item(), "box": box_loss.item(), "landmarks": mark_loss.item()}


def _overlap(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return intersection over union and its generalisation for pairs of boxes (n, 4)."""
    inner = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp_min(0).prod(dim=1)
    outer = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).clamp_min(0).prod(dim=1)
    union = (a[:, 2:] - a[:, :2]).prod(dim=1) + (b[:, 2:] - b[:, :2]).prod(dim=1) - inner
    overlap = inner / union.clamp_min(1e-6)
    return overlap, overlap - (outer - union) / outer.clamp_min(1e-6)
