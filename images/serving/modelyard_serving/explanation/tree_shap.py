"""Exact interventional TreeSHAP: Lundberg et al. 2020, From local explanations to global understanding, algorithm 3.

For an explained row x and a background row z a leaf is reached by a mixed row where all players on its way that only x
satisfies are x's, and those that only z satisfies are z's. With a of the former and b of the latter, Shapley's formula
gives the leaf's value v as v / (a C(a+b, a)) to each of the former and -v / (b C(a+b, b)) to each of the latter.
"""

from math import comb

import numpy as np

from modelyard_serving.explanation.attribution import Attribution, Floats, Vector
from modelyard_serving.explanation.budget import Budget
from modelyard_serving.explanation.tree_ensemble import TreeEnsemble
from modelyard_serving.explanation.tree_paths import TreePaths

MAX_SETS = 64 * 2**20  # bytes that the background takes
TOGETHER = 500_000  # pairs of a leaf and a background row between two looks at the budget


class TreeShap:
    """Of an ensemble and a background; `players` [columns of the trees] says which player each belongs to.

    What a leaf asks of several columns of one player is satisfied together or not: so the values are exact also for a
    player of several columns.
    """

    def __init__(self, trees: TreeEnsemble, players: Vector, background: Vector) -> None:
        """background: float32 [rows, columns of the trees]. Raises UnfitError for what is too large."""
        self._values, self._base = trees.values, trees.base
        self._players = int(players.max()) + 1
        self._paths = TreePaths(trees, players)
        rows = max(1, MAX_SETS // self._paths.full.nbytes)
        self._background = np.stack([self._paths.satisfied(row) for row in background[:rows]])
        self._rows = max(1, TOGETHER // len(self._paths.full))
        most = range(self._paths.width + 1)
        self._share = np.array([[1 / (a * comb(a + b, a)) if a else 0.0 for b in most] for a in most])

    def background_outputs(self) -> Floats:
        """[rows, outputs] of the ensemble for the rows of the background, which may be fewer than were given."""
        return np.stack([self._sum(each) for each in self._background])

    def outputs(self, row: Vector) -> Floats:
        """[outputs] of the ensemble for a float32 row [columns of the trees]."""
        return self._sum(self._paths.satisfied(row))

    def attribute(self, row: Vector, budget: Budget) -> Attribution:
        """Of a float32 row [columns of the trees]. Where the budget ends it, it is exact for the background rows used.

        Raises StoppedError.
        """
        own = self._paths.satisfied(row)
        found = np.zeros((len(self._base), self._players))
        base = np.zeros(len(self._base))
        used = 0
        budget.check()
        while not used or (used < len(self._background) and budget.allows()):
            others = self._background[used : used + self._rows]
            found += self._attributions(own, others)
            base += sum(self._sum(other) for other in others)
            used += len(others)
        return Attribution(self._sum(own), base / used, found / used, None, 1, used, budget.ended)

    def _sum(self, satisfied: Vector) -> Floats:
        found: Floats = self._base + self._values[satisfied == self._paths.full].sum(axis=0)
        return found

    def _attributions(self, own: Vector, others: Vector) -> Floats:
        """[outputs, players], the sum over background rows [rows, leaves]."""
        full, width = self._paths.full, self._paths.width
        row, leaf = np.nonzero((own | others) == full)  # others are reached by no mixed row
        mine, theirs = own[leaf], others[row, leaf]
        inside, outside = mine & ~theirs, theirs & ~mine
        a, b = np.bitwise_count(inside), np.bitwise_count(outside)
        gains, losses = self._share[a, b], self._share[b, a]
        found = np.zeros((len(self._base), self._players))
        for slot in range(width):
            bit = np.left_shift(full.dtype.type(1), full.dtype.type(slot))
            weights = np.where(inside & bit, gains, 0.0) - np.where(outside & bit, losses, 0.0)
            weighed = np.flatnonzero(weights)
            asked, values = self._paths.asked[leaf[weighed], slot], self._values[leaf[weighed]].T
            for output, each in zip(found, values * weights[weighed], strict=True):
                output += np.bincount(asked, each, self._players)
        return found
