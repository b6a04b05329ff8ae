"""Multinomial logistic regression that is fitted again and again to the same examples under new weights.

The examples never change while beliefs do, so they are standardised once and every fit starts where the last one ended:
two or three Newton steps in place of ten. (scikit-learn's solvers begin anew each time, with another copy of the data.)

Examples of class 0 may be wrong: they are weighted by a belief, and what is believed by half only would flatten the
tail that it lies in, and so be believed for ever. Their weights are therefore multiplied by the power ``robust`` of the
probability that the fit itself gives them, as in regression by gamma divergence (Fujisawa and Eguchi, J. Multivariate
Analysis 99, 2008; for labels that are wrong, Hung, Jou and Huang, Biometrics 74, 2018). 0 is maximum likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_STEPS = 25
_TOLERANCE = 1e-2  # of a log odds: the error after a Newton step is of the order of the step's square


@dataclass
class Fitted:
    """Log odds against class 0 are linear: ``coefficients`` (features + 1, classes - 1), the last row constant."""

    centre: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return the log odds (n, classes - 1) of rows (n, features)."""
        return (features - self.centre) / self.scale @ self.coefficients[:-1] + self.coefficients[-1]


class Regression:
    """The examples of a regression.

    Parameters
    ----------
    features
        (n, features).
    classes
        (n,) from 0.
    """

    def __init__(self, features: np.ndarray, classes: np.ndarray) -> None:
        self.centre, self.scale = features.mean(axis=0), features.std(axis=0) + 1e-6
        standard = (features - self.centre) / self.scale
        # An example to a column: what is done per class then runs along the memory.
        self.X = np.concatenate([standard.T, np.ones((1, len(features)))])
        self.count = int(classes.max())
        self.Y = (classes == np.arange(1, self.count + 1)[:, None]).astype(float)
        self.first = classes == 0
        self.coefficients = np.zeros((len(self.X), self.count))
        self.ridge = np.full(len(self.X), 1e-9)
        # Curvature only leads the way to where the gradient is zero, so single precision does.
        first, second = np.triu_indices(len(self.X))
        single = self.X.astype(np.float32)
        self.products = single[first] * single[second]
        self.product = np.empty((len(self.X), len(self.X)), np.int64)
        self.product[first, second] = self.product[second, first] = np.arange(len(first))

    def fit(self, weights: np.ndarray, *, ridge: float = 1.0, robust: float = 0.0, rounds: int = 3) -> Fitted:
        """Fit to weights (n,), from where the last fit ended; ``ridge`` keeps separable examples finite."""
        self.ridge[:-1] = ridge
        if robust and not self.coefficients.any():
            self._newton(weights)
        for _ in range(rounds if robust else 1):
            self._newton(self._discounted(weights, robust) if robust else weights)
        return Fitted(self.centre, self.scale, self.coefficients.copy())

    def _discounted(self, weights: np.ndarray, robust: float) -> np.ndarray:
        w = weights.copy()
        known = 1 - _softmax(self.coefficients.T @ self.X[:, self.first])[0].sum(axis=0)
        w[self.first] *= np.maximum(known, 1e-12) ** robust
        w[self.first] *= weights[self.first].sum() / max(float(w[self.first].sum()), 1e-12)
        return w

    def _newton(self, weights: np.ndarray) -> None:
        loss, P = self._evaluate(self.coefficients, weights)
        for _ in range(_STEPS):
            step = self._step(P, weights)
            if np.abs(step).max() < _TOLERANCE:
                self.coefficients = self.coefficients - step
                return
            for _ in range(20):
                trial = self.coefficients - step
                after, P = self._evaluate(trial, weights)
                if after <= loss + 1e-9 * abs(loss):
                    break
                step /= 2
            else:
                return
            self.coefficients, loss = trial, after

    def _step(self, P: np.ndarray, weights: np.ndarray) -> np.ndarray:
        features = len(self.X)
        gradient = (weights * (P - self.Y)) @ self.X.T + self.ridge * self.coefficients.T
        first, second = np.triu_indices(self.count)
        v = (weights * P[first] * ((first == second)[:, None] - P[second])).astype(np.float32)
        curvature = (v @ self.products.T).astype(float)[:, self.product]
        H = np.empty((self.count, features, self.count, features))
        for a, b, block in zip(first.tolist(), second.tolist(), curvature, strict=True):
            H[a, :, b] = H[b, :, a] = block + (a == b) * np.diag(self.ridge)
        size = self.count * features
        return np.linalg.solve(H.reshape(size, size), gradient.reshape(size)).reshape(self.count, features).T

    def _evaluate(self, coefficients: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss, and the probabilities (classes - 1, n)."""
        Z = coefficients.T @ self.X
        P, total = _softmax(Z)
        penalty = float((self.ridge[:, None] * coefficients**2).sum()) / 2
        return float(weights @ (total - (Z * self.Y).sum(axis=0))) + penalty, P


def _softmax(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities (classes - 1, n) of classes 1 and on, and the log (n,) of what they were divided by."""
    top = np.maximum(Z.max(axis=0), 0.0)
    E = np.exp(Z - top)
    total = np.exp(-top) + E.sum(axis=0)
    return E / total, top + np.log(total)
