"""A keeper under load for a while: does its memory stay, do its sockets, is everything done?

Not part of `make bench`: it takes as long as it is told to. Trades go on all the time in a local
world, prices walk, and every ten seconds it is noted what the keeper's process holds.
"""

import argparse
import csv
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import psutil

from bulkhead import MarginMode, Trader
from bulkhead.errors import BulkheadError, PriceNotTaken
from bulkhead.listings import BTC, ETH
from bulkhead.local import Anvil
from bulkhead.world import World, create

NAMES = ("alice", "bob", "carol", "dave", "erin")
CONFIG = """
journal = "{folder}/keeper.db"
[chain]
id = {chain}
deployments = "{folder}"
[rpc]
urls = ["{url}"]
poll = "0.2"
[[signers]]
local = "keeper"
[watch]
enabled = false
[policy]
gas_token = "0.001"
"""
PERIOD = 10  # seconds between two notes
WARM_UP = 0.2  # of the time: what is loaded and cached first is no leak


@dataclass(frozen=True, slots=True)
class Note:
    """What the keeper's process held at a moment."""

    seconds: float
    memory: float  # MiB, resident
    sockets: int
    files: int
    threads: int
    placed: int
    ended: int


def soak(minutes: float, log: Path, seed: int) -> list[Note]:
    """Runs a world and a keeper, and notes what it holds."""
    dice = random.Random(seed)
    notes: list[Note] = []
    with (
        Anvil("--block-time", "1", "--mixed-mining") as anvil,
        tempfile.TemporaryDirectory() as name,
        log.open("w", newline="") as file,
    ):
        folder = Path(name)
        w3 = anvil.connect()
        world = create(w3, w3.eth.accounts, NAMES, [BTC, ETH])
        world.reader.deployment.save(folder)
        for trader in world.traders.values():
            trader.deposit(100_000)
        config = folder / "keeper.toml"
        text = CONFIG.format(folder=folder, chain=w3.eth.chain_id, url=anvil.url)
        config.write_text(text)
        keeper = _started(config, log.with_suffix(".keeper.log"))
        table = csv.writer(file)
        table.writerow([field.name for field in fields(Note)])
        began = noted = time.monotonic()
        process, placed = psutil.Process(keeper.pid), 0
        try:
            while (passed := time.monotonic() - began) < 60 * minutes:
                placed += _trade(world, dice)
                if time.monotonic() - noted >= PERIOD:
                    noted = time.monotonic()
                    notes.append(_note(process, passed, placed, _ended(world)))
                    table.writerow(astuple(notes[-1]))
                    file.flush()
        finally:
            keeper.send_signal(signal.SIGTERM)
            stopped = time.monotonic()
            keeper.wait(10)
            print(f"stopped in {time.monotonic() - stopped:.1f} s, code {keeper.returncode}")
    return notes


def _started(config: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        command = [sys.executable, "-m", "bulkhead", "keeper", "run", "--config", str(config)]
        return subprocess.Popen(command, stdout=out, stderr=out)


def _trade(world: World, dice: random.Random) -> int:
    """Prices step, and somebody places an order; how many were placed."""
    for market, price in world.prices().items():
        try:
            world.admin.set_price(market, price * dice.randrange(9_960, 10_041) / 10_000)
        except PriceNotTaken:
            continue
    trader: Trader = dice.choice(list(world.traders.values()))
    market = dice.choice((BTC.symbol, ETH.symbol))
    size = "0.02" if market == BTC.symbol else "0.5"
    mode = dice.choice((MarginMode.CROSS, MarginMode.ISOLATED))
    try:
        trader.place(market, size, is_buy=dice.random() < 0.5, margin_mode=mode)
    except BulkheadError:
        return 0  # no money left, or as much as it may be: the others go on
    return 1


def _ended(world: World) -> int:
    first = max(world.reader.block().number - 10_000, world.reader.deployment.block)
    ends = ("OrderExecuted", "OrderCancelled")
    return sum(event.name in ends for event in world.reader.events(first))


def _note(process: psutil.Process, seconds: float, placed: int, ended: int) -> Note:
    with process.oneshot():
        return Note(
            seconds=round(seconds, 1),
            memory=round(process.memory_info().rss / 2**20, 1),
            sockets=len(process.net_connections()),
            files=process.num_fds(),
            threads=process.num_threads(),
            placed=placed,
            ended=ended,
        )


def _summed_up(notes: list[Note]) -> str:
    steady = notes[int(len(notes) * WARM_UP) :]
    half = len(steady) // 2
    early, late = steady[:half], steady[half:]

    def middle(part: list[Note], name: str) -> float:
        return statistics.median(float(getattr(note, name)) for note in part)

    lines = [f"{len(notes)} notes in {notes[-1].seconds:.0f} s, {notes[-1].placed} orders placed"]
    lines += [
        f"{name:8} {middle(early, name):8.1f} -> {middle(late, name):8.1f}"
        for name in ("memory", "sockets", "files", "threads")
    ]
    lines.append(f"orders that wait at the end: {notes[-1].placed - notes[-1].ended}")
    return "\n".join(lines)


def main() -> None:
    """Runs it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--log", type=Path, default=Path("build/soak.csv"))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.log.parent.mkdir(parents=True, exist_ok=True)
    print(_summed_up(soak(given.minutes, given.log, given.seed)))


if __name__ == "__main__":
    main()
