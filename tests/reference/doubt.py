"""Section 9: what a price is not good for while a second source disputes it."""

from dataclasses import dataclass, replace

from tests.reference.state import CERTAIN, HOUR, NO_OPENING, ONLY_BANKRUPT, PPM

GRACE = 900  # seconds in which nobody but the bankrupt is liquidated
MEMORY = HOUR  # after which a dispute is forgotten, at the first price that agrees


@dataclass(frozen=True, slots=True)
class Doubt:
    """The second source's last answer, and since when it has disputed."""

    most_off: int  # ppm of the answer
    answer: int = 0  # femto a lot; 0 for none
    answered_at: int = 0
    disputed_at: int = 0
    is_set: bool = True

    def is_live(self, now: int, max_age: int) -> bool:
        """A dead or stale source disputes nothing."""
        return self.is_set and self.answer > 0 and now <= self.answered_at + max_age

    def judge(self, femto: int, now: int, max_age: int) -> tuple[int, "Doubt"]:
        """The caution a price is taken with, and what is remembered of it."""
        if not self.is_live(now, max_age):
            return CERTAIN, self
        if abs(femto - self.answer) * PPM <= self.most_off * self.answer:
            is_over = now >= self.disputed_at + MEMORY
            return CERTAIN, replace(self, disputed_at=0) if is_over else self
        began_at = self.disputed_at or now
        caution = ONLY_BANKRUPT if now < began_at + GRACE else NO_OPENING
        return caution, replace(self, disputed_at=began_at)
