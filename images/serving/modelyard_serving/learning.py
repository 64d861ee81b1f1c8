"""How long a batch takes and how many requests it has, learned from those before: what waiting is worth."""

from dataclasses import dataclass

INLINE_SECONDS = 0.005  # a probe may wait so long; below it the hop to a thread costs more than it gives
WEIGHT = 0.2  # of the newest measurement in the moving averages
SHARE = 1.0  # of a batch's time that its first request may wait for others
MOST = 0.002  # seconds of waiting
LEAST = 0.0001  # less is not worth a timer
TOGETHER = 1.5  # requests in a batch, on average: fewer say that nobody else comes meanwhile


@dataclass
class Learned:
    seconds: float = 0.0  # of a batch
    requests: float = 1.0  # in a batch
    most: float = 1.0  # requests in the larger batches of late

    def took(self, seconds: float, requests: int) -> None:
        self.seconds += WEIGHT * (seconds - self.seconds)
        self.requests += WEIGHT * (requests - self.requests)
        self.most = max(requests, self.most + WEIGHT / 2 * (requests - self.most))

    def is_whole(self, requests: int) -> bool:
        """Whether so many are as many as come together: waiting for more is in vain."""
        return requests >= round(self.most)

    @property
    def inline(self) -> bool:
        """Whether the model is asked on the event loop."""
        return self.seconds < INLINE_SECONDS

    @property
    def wait(self) -> float:
        """Seconds that the first request of a batch waits for others; 0 where that is pointless."""
        if self.requests < TOGETHER:
            return 0.0
        wait = min(SHARE * self.seconds, MOST)
        return wait if wait >= LEAST else 0.0
