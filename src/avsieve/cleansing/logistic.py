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
_TOLERANCE = 1e-4  # of a log odds


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
        self.X = np.concatenate([(features - self.centre) / self.scale, np.ones((len(features), 1))], axis=1)
        self.count = int(classes.max())
        self.Y = (classes[:, None] == np.arange(1, self.count + 1)).astype(float)
        self.first = classes == 0
        self.coefficients = np.zeros((self.X.shape[1], self.count))
        self.ridge = np.full(self.X.shape[1], 1e-9)

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
        known = 1 - _softmax(self.X[self.first] @ self.coefficients).sum(axis=1)
        w[self.first] *= np.maximum(known, 1e-12) ** robust
        w[self.first] *= weights[self.first].sum() / max(float(w[self.first].sum()), 1e-12)
        return w

    def _newton(self, weights: np.ndarray) -> None:
        features = self.X.shape[1]
        loss = self._loss(self.coefficients, weights)
        for _ in range(_STEPS):
            P = _softmax(self.X @ self.coefficients)
            gradient = self.X.T @ (weights[:, None] * (P - self.Y)) + self.ridge[:, None] * self.coefficients
            H = np.empty((self.count, features, self.count, features))
            for a in range(self.count):
                for b in range(a, self.count):
                    v = weights * P[:, a] * ((a == b) - P[:, b])
                    H[a, :, b] = (self.X * v[:, None]).T @ self.X
                    H[b, :, a] = H[a, :, b].T
                H[a, :, a] += np.diag(self.ridge)
            size = self.count * features
            step = np.linalg.solve(H.reshape(size, size), gradient.T.reshape(size)).reshape(self.count, features).T
            for _ in range(20):
                trial = self.coefficients - step
                after = self._loss(trial, weights)
                if after <= loss + 1e-9 * abs(loss):
                    break
                step /= 2
            self.coefficients, loss = trial, after
            if np.abs(step).max() < _TOLERANCE:
                break

    def _loss(self, coefficients: np.ndarray, weights: np.ndarray) -> float:
        Z = self.X @ coefficients
        top = np.maximum(Z.max(axis=1), 0.0)
        total = top + np.log(np.exp(-top) + np.exp(Z - top[:, None]).sum(axis=1))
        penalty = float((self.ridge[:, None] * coefficients**2).sum()) / 2
        return float(weights @ (total - (Z * self.Y).sum(axis=1))) + penalty


def _softmax(Z: np.ndarray) -> np.ndarray:
    """Return the probabilities of classes 1 and on; that of class 0 is what is left of 1."""
    top = np.maximum(Z.max(axis=1, keepdims=True), 0.0)
    E = np.exp(Z - top)
    return E / (np.exp(-top) + E.sum(axis=1, keepdims=True))
