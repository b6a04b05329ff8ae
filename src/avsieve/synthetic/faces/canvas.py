"""A small painter's canvas in face units: antialiased polygons, strokes and soft glows on a float BGR image."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

Colour = Sequence[float] | np.ndarray
_SHIFT = 4


def spline(points: np.ndarray, steps: int = 8, closed: bool = False) -> np.ndarray:
    """Return the Catmull-Rom curves through ``points`` (…, n, 2), ``steps`` points a segment."""
    p = np.asarray(points, dtype=np.float64)
    ends = (p[..., -1:, :], p, p[..., :2, :]) if closed else (p[..., :1, :], p, p[..., -1:, :])
    p = np.concatenate(ends, axis=-2)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    count = p.shape[-2] - 3
    a, b, c, d = (p[..., i : i + count, None, :] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    curve = curve.reshape(*p.shape[:-2], count * steps, 2)
    return curve if closed else np.concatenate([curve, p[..., -2:-1, :]], axis=-2)


def mirrored(half: Sequence[tuple[float, float]] | np.ndarray) -> np.ndarray:
    """Return the closed figure (m, 2) whose right half, from the top to the bottom, is ``half``."""
    right = np.asarray(half, dtype=np.float64)
    left = right[::-1] * (-1, 1)
    return np.concatenate([right, left[left[:, 0] < 0]])


class Canvas:
    """A BGR image with coverage over a window of the face plane.

    Attributes
    ----------
    image : (h, w, 3) float32
        Colours 0..255, not premultiplied.
    alpha : (h, w) float32
        Coverage 0..1; painting with ``cover=True`` adds to it.
    """

    def __init__(self, scale: float, left: float, top: float, right: float, bottom: float) -> None:
        self.scale = scale
        self.origin = (int(np.floor(left * scale)), int(np.floor(top * scale)))
        width, height = int(np.ceil((right - left) * scale)), int(np.ceil((bottom - top) * scale))
        self.image = np.zeros((height, width, 3), dtype=np.float32)
        self.alpha = np.zeros((height, width), dtype=np.float32)

    def window(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
        """Return the rows and columns that cover a rectangle in face units, cut at the edges."""
        (x0, y0), (x1, y1) = self.pixels(np.array([[left, top], [right, bottom]]))
        height, width = self.alpha.shape
        rows = slice(max(int(np.floor(y0)), 0), min(int(np.ceil(y1)) + 1, height))
        return rows, slice(max(int(np.floor(x0)), 0), min(int(np.ceil(x1)) + 1, width))

    def crop(self, window: tuple[slice, slice]) -> Canvas:
        """Return a copy of one window that is painted in the same coordinates."""
        part = object.__new__(Canvas)
        part.scale = self.scale
        part.origin = (self.origin[0] + window[1].start, self.origin[1] + window[0].start)
        part.image, part.alpha = self.image[window].copy(), self.alpha[window].copy()
        return part

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Return pixel coordinates (n, 2) of points in face units; integers are pixel centres."""
        return np.asarray(points, dtype=np.float64) * self.scale - self.origin - 0.5

    def grid(self, step: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Return ``u`` and ``v`` at the centre of every ``step``-th block of pixels, as float32 planes."""
        height, width = self.alpha.shape
        u = (np.arange(width // step) * step + step / 2 + self.origin[0]) / self.scale
        v = (np.arange(height // step) * step + step / 2 + self.origin[1]) / self.scale
        return tuple(np.meshgrid(u.astype(np.float32), v.astype(np.float32)))  # type: ignore[return-value]

    def _region(self, points: np.ndarray, margin: float) -> tuple[slice, slice, np.ndarray] | None:
        px = self.pixels(points)
        pad = 2 + margin
        height, width = self.alpha.shape
        x0, y0 = np.floor(px.min(axis=0) - pad).astype(int)
        x1, y1 = np.ceil(px.max(axis=0) + pad).astype(int) + 1
        x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
        if x1 <= x0 or y1 <= y0:
            return None
        return slice(y0, y1), slice(x0, x1), np.round((px - (x0, y0)) * 2**_SHIFT).astype(np.int32)

    def mask(
        self, points: np.ndarray, soft: float = 0.0, thickness: float | None = None, closed: bool = False
    ) -> tuple[tuple[slice, slice], np.ndarray] | None:
        """Rasterise a polygon, or a line of ``thickness``, and blur it by ``soft`` (both in face units).

        Returns
        -------
        window, mask
            Where it lies and its coverage (float32, 0..1); None when it lies outside.
        """
        sigma = soft * self.scale
        width = 0 if thickness is None else max(round(thickness * self.scale), 1)
        found = self._region(points, 3 * sigma + width)
        if found is None:
            return None
        rows, columns, px = found
        plane = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.uint8)
        if thickness is None:
            cv2.fillPoly(plane, [px], 255, cv2.LINE_AA, _SHIFT)
        else:
            cv2.polylines(plane, [px], closed, 255, width, cv2.LINE_AA, _SHIFT)
        if sigma > 0.3:
            plane = cv2.GaussianBlur(plane, (0, 0), sigma)
        return (rows, columns), plane.astype(np.float32) * np.float32(1 / 255)

    def blend(
        self, window: tuple[slice, slice], mask: np.ndarray, colour: Colour, opacity: float = 1.0, cover: bool = False
    ) -> None:
        """Lay ``colour`` (three numbers or an image) over ``window`` with ``mask`` as its coverage."""
        weight = mask * np.float32(opacity)
        part = self.image[window]
        part += (np.asarray(colour, dtype=np.float32) - part) * weight[..., None]
        if cover:
            alpha = self.alpha[window]
            alpha += (1 - alpha) * weight

    def fill(
        self,
        points: np.ndarray,
        colour: Colour,
        opacity: float = 1.0,
        soft: float = 0.0,
        cover: bool = False,
        clip: np.ndarray | None = None,
    ) -> None:
        """Fill a polygon (n, 2); ``clip`` is a coverage plane of the whole canvas."""
        self._lay(self.mask(points, soft), colour, opacity, cover, clip)

    def stroke(
        self,
        points: np.ndarray,
        colour: Colour,
        thickness: float,
        opacity: float = 1.0,
        soft: float = 0.0,
        cover: bool = False,
        clip: np.ndarray | None = None,
        closed: bool = False,
    ) -> None:
        """Draw a line of ``thickness`` through ``points`` (n, 2)."""
        thin = min(1.0, thickness * self.scale)
        self._lay(self.mask(points, soft, thickness, closed), colour, opacity * thin, cover, clip)

    def strokes(
        self,
        lines: np.ndarray,
        colours: np.ndarray,
        thicknesses: np.ndarray | float,
        opacity: float,
        clip: np.ndarray | None = None,
        layers: int = 2,
    ) -> None:
        """Draw many lines (n, points, 2) at once: opaque in each of ``layers`` sheets, which are laid over each other.

        Far quicker than one `stroke` after the other; hair, brows and beards are made of it.

        Parameters
        ----------
        colours
            (n, 3).
        thicknesses
            (n,) or one for all, in face units.
        """
        widths = np.maximum(np.round(np.broadcast_to(thicknesses, len(lines)) * self.scale), 1).astype(int).tolist()
        shades = np.clip(colours, 0, 255).tolist()
        pixels = self.pixels(lines)
        height, width = self.alpha.shape
        for layer in range(min(layers, len(lines))):
            part = pixels[layer::layers]
            x0, y0 = np.maximum(np.floor(part.min(axis=(0, 1))).astype(int) - 3, 0)
            x1, y1 = np.minimum(np.ceil(part.max(axis=(0, 1))).astype(int) + 4, (width, height))
            if x1 <= x0 or y1 <= y0:
                continue
            window = (slice(y0, y1), slice(x0, x1))
            sheet = np.clip(self.image[window], 0, 255).astype(np.uint8)
            fixed = np.round((part - (x0, y0)) * 2**_SHIFT).astype(np.int32)
            for line, shade, wide in zip(fixed, shades[layer::layers], widths[layer::layers], strict=True):
                cv2.polylines(sheet, [line], False, shade, wide, cv2.LINE_AA, _SHIFT)
            weight = np.ones(sheet.shape[:2], np.float32) if clip is None else clip[window]
            self.blend(window, weight, sheet, opacity)

    def _lay(
        self,
        found: tuple[tuple[slice, slice], np.ndarray] | None,
        colour: Colour,
        opacity: float,
        cover: bool,
        clip: np.ndarray | None,
    ) -> None:
        if found is None:
            return
        window, mask = found
        self.blend(window, mask if clip is None else mask * clip[window], colour, opacity, cover)

    def glow(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: Colour,
        opacity: float,
        angle: float = 0.0,
        clip: np.ndarray | None = None,
    ) -> None:
        """Lay a Gaussian spot of ``radii`` (standard deviations) turned by ``angle`` radians."""
        reach = 2.6 * max(radii)
        window = self.window(centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach)
        rows, columns = window
        if rows.stop <= rows.start or columns.stop <= columns.start:
            return
        x = (np.arange(columns.start, columns.stop, dtype=np.float32) + self.origin[0] + 0.5) / self.scale - centre[0]
        y = ((np.arange(rows.start, rows.stop, dtype=np.float32) + self.origin[1] + 0.5) / self.scale - centre[1])[
            :, None
        ]
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        a, b = (x * cos + y * sin) / np.float32(radii[0]), (y * cos - x * sin) / np.float32(radii[1])
        mask = np.exp(-0.5 * (a * a + b * b))
        self.blend(window, mask if clip is None else mask * clip[window], colour, opacity)

    def shade(self, centre: tuple[float, float], radii: tuple[float, float], factor: float, angle: float = 0.0) -> None:
        """Darken (factor < 1) or lighten a Gaussian spot by a factor."""
        reach = 2.6 * max(radii)
        window = self.window(centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach)
        self.glow(centre, radii, self.image[window] * np.float32(factor), 1.0, angle)
