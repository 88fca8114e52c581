"""What classes are taken for to an order in which similar ones are side by side."""

from __future__ import annotations

import numpy as np

from netdsl.experiment.analysis.predictions import Labels, Numbers


def by_similarity(labels: Labels, probabilities: Numbers) -> tuple[int, ...]:
    """Return the classes in an order in which those that the network mixes up are neighbours.

    Two classes are as similar as the mean probability that the images of one are given for the
    other: that says more than counts of errors where a class has few images. Groups are joined
    from the most similar on (average linkage), each turned so that similar ends meet.
    """
    return _joined(_similarity(labels, probabilities))


def _similarity(labels: Labels, probabilities: Numbers) -> Numbers:
    """Return the mean probabilities of each class's images (C, C), made symmetric."""
    classes = probabilities.shape[1]
    sums = np.zeros((classes, classes))
    np.add.at(sums, labels, probabilities)
    means = sums / np.maximum(1, np.bincount(labels, minlength=classes))[:, None]
    similar: Numbers = (means + means.T) / 2
    return similar


def _joined(similar: Numbers) -> tuple[int, ...]:
    chains = [[label] for label in range(len(similar))]
    between = similar.copy()
    np.fill_diagonal(between, -np.inf)
    for _ in chains[1:]:
        i, j = sorted(map(int, np.unravel_index(between.argmax(), between.shape)))
        sizes = len(chains[i]), len(chains[j])
        chains[i] = _ends_met(chains[i], chains[j], similar)
        between[i] = between[:, i] = np.average((between[i], between[j]), axis=0, weights=sizes)
        between[j] = between[:, j] = between[i, i] = -np.inf
    return tuple(chains[0])


def _ends_met(one: list[int], other: list[int], similar: Numbers) -> list[int]:
    """Put two chains one behind the other, turned so that the ends that meet are most similar."""
    turned = [(a, b) for a in (one, one[::-1]) for b in (other, other[::-1])]
    first, second = max(turned, key=lambda ends: similar[ends[0][-1], ends[1][0]])
    return first + second
