"""What all partitions of a table or GSI together may serve in a second: on demand, or provisioned with auto scaling.

Arrays have a row for each structure; their columns are reads and writes, in units a second. Sources: section A1 of the
DynamoDB facts; for auto scaling AWS's guide "Managing throughput capacity automatically with DynamoDB auto scaling".
"""

from collections.abc import Sequence

import numpy

from ddbmig.model.scenario import Throughput
from ddbmig.validators.stress.partitions import READS_PER_PARTITION, WRITES_PER_PARTITION, Floats

NEW_ON_DEMAND = Throughput(reads=12_000, writes=4_000)
"""What a new table or GSI serves on demand."""
DOUBLING_MINUTES = 30
"""More than twice the peak of so many minutes ago may be throttled: simulated as if it always were."""
BURST_SECONDS = 300
"""Seconds of unused provisioned capacity that are kept. They never lift the limit of a partition."""
SCALE_OUT_MINUTES, SCALE_IN_MINUTES = 2, 15
"""Minutes in a row above, or below, the target until auto scaling acts."""
SCALING_LAG_MINUTES = 3
"""Minutes from there until the new capacity is there: assumed, AWS says several."""
MINUTE = 60


class Limits:
    """The limits of all structures over time. Burst capacity starts empty: AWS promises none."""

    def __init__(self, held: Sequence[Throughput], provisioned: bool, target: float | None) -> None:
        """`held` is served from the start. `target` is the utilisation that auto scaling holds, None: it is off."""
        self.held = numpy.array([[one.reads, one.writes] for one in held], dtype=numpy.double).reshape(-1, 2)
        self.floor = self.held.copy()
        self.provisioned, self.target = provisioned, target
        self.saved = numpy.zeros_like(self.held)
        self._second = 0
        self._sum, self._peak = numpy.zeros_like(self.held), numpy.zeros_like(self.held)
        self._peaks: list[Floats] = []
        self._above, self._below = (numpy.zeros(self.held.shape, dtype=numpy.intp) for _ in range(2))
        self._coming: list[tuple[int, Floats]] = []

    def offered(self) -> Floats:
        """Units that may be served in this second."""
        return self.held + self.saved

    def take(self, used: Floats) -> bool:
        """Note what a second has used; True where a minute is over and the limits may have changed."""
        if self.provisioned:
            self.saved = numpy.clip(self.held + self.saved - used, 0, BURST_SECONDS * self.held)
        self._sum += used
        self._peak = numpy.maximum(self._peak, used)
        self._second += 1
        if self._second % MINUTE:
            return False
        if self.provisioned:
            self._scale(self._sum / MINUTE)
        else:
            self._double()
        self._sum, self._peak = numpy.zeros_like(self.held), numpy.zeros_like(self.held)
        return True

    def partitions(self) -> list[int]:
        """How many partitions each structure has at least for what it holds: provisioned reads and writes add up."""
        shares = self.held / (READS_PER_PARTITION, WRITES_PER_PARTITION)
        wanted = shares.sum(axis=1) if self.provisioned else shares.max(axis=1)
        return [max(1, int(numpy.ceil(round(share, 9)))) for share in wanted]

    def _double(self) -> None:
        """On demand: twice the highest second of half an hour ago and before."""
        self._peaks.append(numpy.maximum(self._peak, self._peaks[-1]) if self._peaks else self._peak)
        before = len(self._peaks) - DOUBLING_MINUTES
        if before >= 0:
            self.held = numpy.maximum(self.held, 2 * self._peaks[before])

    def _scale(self, average: Floats) -> None:
        """Auto scaling: to the minute's average ÷ target, some minutes after it was above or below for long enough."""
        if self.target is None:
            return
        minute = self._second // MINUTE
        wanted = numpy.maximum(numpy.ceil(numpy.round(average / self.target, 6)), self.floor)
        self._above = numpy.where(average > self.target * self.held, self._above + 1, 0)
        self._below = numpy.where(wanted < self.held, self._below + 1, 0)
        acting = (self._above >= SCALE_OUT_MINUTES) | (self._below >= SCALE_IN_MINUTES)
        if acting.any():
            self._coming.append((minute + SCALING_LAG_MINUTES, numpy.where(acting, wanted, 0.0)))
            self._above[acting] = self._below[acting] = 0
        while self._coming and self._coming[0][0] <= minute:
            _, target = self._coming.pop(0)
            self.held = numpy.where(target > 0, target, self.held)
