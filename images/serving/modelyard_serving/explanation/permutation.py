"""Shapley values of any model by sampled permutations of its columns.

Castro, Gomez, Tejada 2009: a column's value is the mean change of the output when it is switched from a background
row's value to the explained row's, in random order. Mitchell, Cooper, Frank, Holmes 2022: each order is taken
backwards, too, which cancels much of the error.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from modelyard_serving.explanation.attribution import Attribution, Floats
from modelyard_serving.explanation.budget import Budget

BATCH = 256  # rows that the model is asked at a time: others wait for no more
Masks = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Ask = Callable[[Masks, Places], Floats]


def pair_size(columns: int) -> int:
    """Rows that the model is asked for an order and its reverse: the full row's answer is known already."""
    return 2 * columns - 1


def permutation_shapley(
    ask: Ask, values: Floats, columns: int, background: int, budget: Budget, random: np.random.Generator
) -> Attribution:
    """Ends when each of `background` rows was used once, or with the budget.

    `ask(masks, places)` answers [rows, outputs] for rows that have the explained row's value where masks
    [rows, columns] says so, and that of the background row places[i] elsewhere; `values` [outputs] is the answer to
    the explained row itself.
    One pair of orders is taken whatever the budget says. Raises StoppedError.
    """
    changes: list[Floats] = []  # of each pair: [outputs, columns]
    starts: list[Floats] = []  # of each: the answer to its background row
    spent, size = 1, pair_size(columns)
    budget.spend(1)
    together = max(1, BATCH // size)
    while len(changes) < background:
        wanted = min(together, background - len(changes)) if changes else 1
        while wanted > 1 and not budget.allows(wanted * size):
            wanted //= 2
        if changes and not budget.allows(wanted * size):
            break
        orders = [random.permutation(columns) for _ in range(wanted)]
        answers = _answers(ask, orders, len(changes), budget, whole=not changes)
        if answers is None:
            break
        spent += wanted * size
        for order, found in zip(orders, answers.reshape(wanted, size, -1), strict=True):
            changes.append(_change(order, found, values))
            starts.append(found[0])
    errors = np.std(changes, axis=0, ddof=1) / np.sqrt(len(changes)) if len(changes) > 1 else None
    return Attribution(
        values, np.mean(starts, axis=0), np.mean(changes, axis=0), errors, spent, len(changes), budget.ended
    )


def _answers(ask: Ask, orders: list[Places], first: int, budget: Budget, whole: bool) -> Floats | None:
    """None where the time is up before all are there, unless they must be `whole`."""
    size = pair_size(len(orders[0]))
    masks = np.concatenate([np.array(list(_coalitions(order))) for order in orders])
    places = np.repeat(np.arange(first, first + len(orders)), size)
    found = []
    for start in range(0, len(masks), BATCH):
        part = slice(start, start + BATCH)
        budget.check()
        if not whole and not budget.allows(len(masks[part])):
            return None
        budget.spend(len(masks[part]))
        found.append(ask(masks[part], places[part]))
    return np.concatenate(found)


def _coalitions(order: Places) -> Iterator[Masks]:
    """None of the columns, then more by `order`; then, for the reverse order, the complements of those between."""
    empty = np.zeros(len(order), dtype=bool)
    prefixes = [empty]
    for column in order[:-1]:
        mask = prefixes[-1].copy()
        mask[column] = True
        prefixes.append(mask)
    yield from prefixes
    yield from (~mask for mask in prefixes[1:])


def _change(order: Places, found: Floats, full: Floats) -> Floats:
    """[outputs, columns], the mean of both directions. `found` has the answers to `_coalitions(order)`."""
    columns = len(order)
    forward = np.diff(np.vstack([found[:columns], full]), axis=0)  # [columns, outputs], by order
    last = np.vstack([full, found[columns:], found[:1]])  # all columns, then fewer from the front of the order
    backward = -np.diff(last, axis=0)
    change = np.empty((columns, found.shape[1]))
    change[order] = (forward + backward) / 2
    return change.T
