"""Randomness that does not depend on where one starts: every number is drawn from a generator of its own block of time.

A generator is seeded with a hash of the seed, what the numbers are for, and the number of the block. Whoever asks for an
hour therefore gets the same numbers as whoever asks for the year around it.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Micros = NDArray[np.int64]

SECOND_US = 1_000_000
_BLOCK_STEPS = 1440
"""Steps of a block of noise, and ticks of a block of draws: a day at one a minute."""


def generator(*key: str | int) -> np.random.Generator:
    """The generator that belongs to ``key`` alone."""
    digest = hashlib.blake2b("\x1f".join(map(str, key)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


@lru_cache(maxsize=512)
def _red_block(key: tuple[str | int, ...], block: int, memory: float) -> Floats:
    """Two blocks' worth of AR(1) noise of mean 0 and variance 1, begun in its stationary distribution."""
    from scipy.signal import lfilter  # takes half a second, which a replay need not wait for

    white = generator(*key, "red", block).standard_normal(2 * _BLOCK_STEPS)
    white[1:] *= math.sqrt(1 - memory * memory)
    made: Floats = lfilter([1.0], [1.0, -memory], white)
    made.flags.writeable = False
    return made


def red_noise(key: tuple[str | int, ...], at_us: Micros, *, memory_s: float, step_s: int = 60) -> Floats:
    """Autocorrelated noise of mean 0 and variance 1 at the instants ``at_us``, continuous over all time.

    AR(1) on a grid of ``step_s``, correlated as exp(−Δt / ``memory_s``), linear in between. Each block's series runs on
    through the next block, where it fades out while that one's fades in; the squares of both weights sum to one, so the
    variance stays::

        block 0   ▔▔▔▔▔▔▔▔╲╲╲╲╲╲╲╲
        block 1           ╱╱╱╱╱╱╱╱╲╲╲╲╲╲╲╲
        block 2                   ╱╱╱╱╱╱╱╱╲╲╲╲╲╲╲╲

    :returns: an array of the shape of ``at_us``.
    """
    if at_us.size == 0:
        return np.empty(0)
    memory = math.exp(-step_s / memory_s)
    step_us = step_s * SECOND_US
    first = int(at_us.min()) // step_us // _BLOCK_STEPS
    last = (int(at_us.max()) // step_us + 1) // _BLOCK_STEPS
    angle = np.arange(_BLOCK_STEPS) * (math.pi / 2 / _BLOCK_STEPS)
    rising, falling = np.sin(angle), np.cos(angle)
    grid = np.concatenate(
        [
            rising * _red_block(key, block, memory)[:_BLOCK_STEPS]
            + falling * _red_block(key, block - 1, memory)[_BLOCK_STEPS:]
            for block in range(first, last + 1)
        ]
    )
    since = at_us - first * _BLOCK_STEPS * step_us
    index = since // step_us
    share = (since - index * step_us) / step_us
    noise: Floats = grid[index] * (1 - share) + grid[np.minimum(index + 1, grid.size - 1)] * share
    return noise


def draws(key: tuple[str | int, ...], first: int, last: int, columns: int) -> Floats:
    """Uniform numbers in [0, 1) for the ticks ``first`` … ``last`` (inclusive), ``columns`` for each tick.

    :returns: an array of shape (last − first + 1, columns).
    """
    start, end = first // _BLOCK_STEPS, last // _BLOCK_STEPS
    blocks = [generator(*key, "draws", block).random((_BLOCK_STEPS, columns)) for block in range(start, end + 1)]
    offset = first - start * _BLOCK_STEPS
    return np.concatenate(blocks)[offset : offset + last - first + 1]
