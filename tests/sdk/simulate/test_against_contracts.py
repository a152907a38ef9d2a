"""The random walk of the contracts, with the engine beside them: equal word for word."""

import os
from collections.abc import Callable

import pytest

from tests.helpers.mirror import Mirror, Recorder, state_of
from tests.stateful.test_random_walk import Walk

ACTIONS = int(os.environ.get("MIRROR_ACTIONS", "300"))


class MirroredWalk(Walk):
    def act(self, kind: Callable[[], object]) -> None:
        self.step += 1
        try:
            kind()
        except AssertionError as error:
            error.add_note(f"at step {self.step}: {getattr(kind, '__name__', kind)}")
            raise


def test_the_engine_does_what_the_contracts_do(capsys: pytest.CaptureFixture[str]) -> None:
    recorder = Recorder()
    with recorder.watching():
        walk = MirroredWalk(seed=int(os.environ.get("MIRROR_SEED", "11")))
    mirror = Mirror(walk.protocol, state_of(walk.protocol, recorder))
    walk.run(ACTIONS)
    with capsys.disabled():
        print(f"\ncalls {mirror.calls.total()}: {dict(mirror.calls)}")
        print(f"refusals: {dict(mirror.refusals)}")
        print(f"seen: {dict(walk.seen)}")
