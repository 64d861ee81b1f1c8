"""Who is asked on the way from a root to a leaf: a bit for each player, so that sets of them are numbers.

A player is a column of the model; it may be several columns of the trees, as text that is one-hot encoded.
"""

import numpy as np

from modelyard_serving.explanation.attribution import UnfitError, Vector
from modelyard_serving.explanation.tree_ensemble import TreeEnsemble

MAX_NODES = 4_000_000
MAX_DEPTH = 1000
MAX_ASKED = 16_000_000  # places in `asked`
NOBODY = -1
_BITS = (np.uint8, np.uint16, np.uint32, np.uint64)


class TreePaths:
    """full: [leaves], the set of all players on the way to each. asked: [leaves, width], the player of each bit."""

    def __init__(self, trees: TreeEnsemble, players: Vector) -> None:
        """players: [columns of the trees]. Raises UnfitError for what is too large."""
        self._trees = trees
        if len(trees.parent) > MAX_NODES:
            raise UnfitError(f"its trees have more than {MAX_NODES:,} nodes")
        player = players[trees.column]
        self._levels = _levels(trees)
        slot, used = _slots(trees.parent, player, self._levels)
        self.width = int(used[trees.leaves].max())
        if self.width > 64:
            raise UnfitError("its trees ask for more than 64 columns on one way")
        self._kind = next(bits for bits in _BITS if self.width <= np.iinfo(bits).bits)
        one = self._kind(1)
        self._bit = np.left_shift(one, slot.astype(self._kind))[trees.parent]  # of a node: that its parent asks for
        self._bit[self._levels[0]] = 0
        self.full = self._collected(self._bit.copy())
        self.asked = self._asked(slot, player)

    def satisfied(self, row: Vector) -> Vector:
        """[leaves]: the set of the players that do not keep a float32 row [columns] from each."""
        strays = self._trees.goes(row)[self._trees.parent] != self._trees.side
        found: Vector = self.full & ~self._collected(np.where(strays, self._bit, self._kind(0)))
        return found

    def _collected(self, found: Vector) -> Vector:
        """[leaves], from bits of each node: those of all nodes on the way."""
        parent = self._trees.parent
        for level in self._levels[1:]:
            found[level] |= found[parent[level]]
        leaves: Vector = found[self._trees.leaves]
        return leaves

    def _asked(self, slot: Vector, player: Vector) -> Vector:
        leaf, here = np.arange(len(self._trees.leaves)), self._trees.leaves
        if len(leaf) * self.width > MAX_ASKED:
            raise UnfitError("its trees are too large")
        found = np.full((len(leaf), self.width), NOBODY, dtype=np.int32)
        for _ in self._levels:
            above = self._trees.parent[here]
            leaf, here = leaf[above >= 0], above[above >= 0]
            found[leaf, slot[here]] = player[here]
        return found


def _levels(trees: TreeEnsemble) -> list[Vector]:
    """The nodes by their depth, roots first."""
    order = np.argsort(trees.parent, kind="stable")
    begins = np.searchsorted(trees.parent[order], np.arange(len(order) + 1))
    found = [np.flatnonzero(trees.parent < 0)]
    while True:
        starts, ends = begins[found[-1]], begins[found[-1] + 1]
        below = np.concatenate([order[starts[ends > starts] + place] for place in (0, 1)])
        if not len(below):
            break
        found.append(below)
        if len(found) > MAX_DEPTH:
            raise UnfitError(f"its trees are deeper than {MAX_DEPTH}")
    if sum(map(len, found)) != len(order):
        raise UnfitError("its trees are no trees")
    return found


def _slots(parent: Vector, player: Vector, levels: list[Vector]) -> tuple[Vector, Vector]:
    """The place of each inner node's player among those of its way, and how many the way to each node has."""
    earlier = np.full(len(parent), -1)  # the nearest node on the way that asks for the same player
    here, above = np.arange(len(parent)), parent
    while len(here):
        here, above = here[above >= 0], above[above >= 0]
        same = player[above] == player[here]
        earlier[here[same]] = above[same]
        here, above = here[~same], parent[above[~same]]
    slot, used = np.zeros(len(parent), dtype=np.int64), np.zeros(len(parent), dtype=np.int64)
    for depth, level in enumerate(levels):
        if depth:
            above = parent[level]
            used[level] = used[above] + (earlier[above] < 0)
        slot[level] = np.where(earlier[level] >= 0, slot[earlier[level]], used[level])
    return slot, used
