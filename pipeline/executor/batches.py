"""Which cases go together, and which go first."""

from collections.abc import Callable, Hashable, Sequence

from pipeline.executor.outcome import Case


def plan_batches(
    cases: Sequence[Case],
    together: Callable[[Case], Hashable] | None = None,
    weight: Callable[[Case], float] | None = None,
) -> list[tuple[int, ...]]:
    """Divide the numbers of cases into batches that one worker does one after the other.

    Parameters
    ----------
    cases : sequence
        All cases.
    together : callable or None
        Cases for which it returns the same are a batch: those that read the same image, which the
        worker then reads once. None makes each case a batch.
    weight : callable or None
        What a case costs, in any unit. The heaviest batch comes first, so that the last to end is
        a light one; equal ones stay in their order.
    """
    groups: dict[Hashable, list[int]] = {}
    for number, case in enumerate(cases):
        groups.setdefault(number if together is None else together(case), []).append(number)
    batches = [tuple(group) for group in groups.values()]
    if weight is None:
        return batches
    costs = [weight(case) for case in cases]
    return sorted(batches, key=lambda batch: -sum(costs[number] for number in batch))
