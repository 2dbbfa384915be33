"""One viewer's place in a room's log, and the proof that nothing was missed. Pure.

No text is kept: offsets grow by one, so the first, the last, how many there were and their sum say whether each came
once and in order. What stood at an offset is checked once for all viewers (`news.Newsroom`).
"""

from dataclasses import dataclass

from loadtest.users.news import Answer, News


@dataclass(slots=True)
class Seat:
    """`began` is where this viewer came in; `standing` false while a join is awaited."""

    epoch: str = ""
    began: int = 0
    offset: int = 0
    taken: int = 0
    total: int = 0
    repeated: int = 0
    resets: int = 0
    recoveries: int = 0
    gaps: int = 0
    standing: bool = False

    def take(self, news: News) -> bool:
        """Take a frame; False when one before it is missing, and then nothing more is taken until a join."""
        if news.whole and news.offsets[0] == self.offset + 1:
            self.offset = news.offsets[-1]
            self.taken += len(news.offsets)
            self.total += news.total
            return True
        return all(self._take(offset) for offset in news.offsets)

    def joined(self, answer: Answer) -> bool:
        """Take a join's answer; False when what it calls recovered has a hole."""
        known, self.standing = bool(self.epoch), True
        self.epoch = answer.epoch
        if known and answer.recovered:
            self.recoveries += 1
            return all(self._take(entry.offset) for entry in answer.entries) and self.offset >= answer.offset
        self.resets += known
        self.began = self.offset = answer.offset
        self.taken = self.total = 0
        return True

    def position(self) -> dict[str, object]:
        """What a join says about the past."""
        return {"epoch": self.epoch, "offset": self.offset} if self.epoch else {}

    def is_whole(self, last: int) -> bool:
        """Whether each message after `began`, up to `last` at least, was taken once and in order, with no new start."""
        count = self.offset - self.began
        expected = (self.began + 1 + self.offset) * count // 2
        return self.resets == 0 and self.offset >= last and self.taken == count and self.total == expected

    def _take(self, offset: int) -> bool:
        if offset <= self.offset:
            self.repeated += 1
            return True
        if offset != self.offset + 1:
            self.gaps += 1
            self.standing = False
            return False
        self.offset = offset
        self.taken += 1
        self.total += offset
        return True
