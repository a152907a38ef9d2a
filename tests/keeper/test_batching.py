import pytest

from bulkhead.keeper.batching import GAS_PER_BATCH, Economy, Shard, batches, gas_of
from bulkhead.keeper.work import Job, Task

GWEI = 10**9
USD = 10**6  # quote
CHEAP = Economy(gas_price=GWEI // 100, token_price=4_000 * USD)
DEAR = Economy(gas_price=100 * GWEI, token_price=4_000 * USD)


def task(
    number: int = 0,
    verb: str = "liquidate_isolated",
    job: Job = Job.LIQUIDATE_ISOLATED,
    *,
    market: int = 0,
    gas: int = 250_000,
    reward: int = USD,
    is_debt: bool = False,
) -> Task:
    return Task(
        job=job,
        key=str(number),
        account=f"0x{number:040x}",
        market=market,
        needs=(market,),
        verb=verb,
        argument=number,
        gas=gas,
        reward=reward,
        is_debt=is_debt,
    )


def test_a_batch_stays_under_the_gas_cap_and_keeps_the_order() -> None:
    wanted = [task(number) for number in range(200)]
    found = list(batches(wanted))
    assert [one for batch in found for one in batch] == wanted
    assert all(gas_of(batch) <= GAS_PER_BATCH for batch in found)
    assert [len(batch) for batch in found] == [54, 54, 54, 38]


def test_a_call_takes_no_more_than_the_contract_does() -> None:
    found = list(batches([task(number, gas=1_000) for number in range(130)]))
    assert [len(batch) for batch in found] == [64, 64, 2]


def test_a_task_beyond_the_cap_goes_alone() -> None:
    found = list(batches([task(1), task(2, gas=GAS_PER_BATCH), task(3)]))
    assert [len(batch) for batch in found] == [1, 1, 1]


def test_a_top_up_and_a_liquidation_share_a_call() -> None:
    (batch,) = batches([task(1), task(2, job=Job.TOP_UP)])
    assert [one.job for one in batch] == [Job.LIQUIDATE_ISOLATED, Job.TOP_UP]


def test_functions_that_take_one_thing_are_called_one_by_one() -> None:
    fixes = [task(number, "fix", Job.FIX_REQUESTS) for number in (1, 2)]
    assert [len(batch) for batch in batches(fixes)] == [1, 1]


def test_deleveraging_takes_one_market_a_call() -> None:
    wanted = [task(n, "auto_deleverage", Job.DELEVERAGE, market=n % 2) for n in range(4)]
    assert [[one.market for one in batch] for batch in batches(wanted)] == [[0, 0], [1, 1]]


def test_what_costs_more_than_it_pays_is_left() -> None:
    assert CHEAP.pays_for(task())
    assert not DEAR.pays_for(task())
    assert CHEAP.pays([task()])
    assert not DEAR.pays([task()])


def test_a_margin_is_asked_for_on_top_of_the_cost() -> None:
    exact = Economy(GWEI, 4_000 * USD)
    cost = exact.cost_of(75_000)
    assert exact.pays_for(task(reward=cost))
    assert not exact.pays_for(task(reward=cost - 1))
    assert not Economy(GWEI, 4_000 * USD, margin=1).pays_for(task(reward=cost))


def test_a_batch_shares_what_a_transaction_costs() -> None:
    economy = Economy(GWEI, 4_000 * USD)
    reward = economy.cost_of(90_000)
    assert not economy.pays([task(reward=reward)])
    assert economy.pays([task(number, reward=reward) for number in range(2)])


def test_bad_debt_is_liquidated_at_a_loss_where_that_is_asked_for() -> None:
    debt = task(is_debt=True)
    assert not DEAR.pays_for(debt)
    always = Economy(DEAR.gas_price, DEAR.token_price, always=True)
    assert always.pays_for(debt)
    assert always.pays([debt, task(2)])
    assert not always.pays_for(task())


def test_what_pays_nobody_is_done_as_long_as_its_job_is_on() -> None:
    assert DEAR.pays_for(task(verb="ratchet", job=Job.TRAIL_STOPS, reward=0))


def test_every_task_is_exactly_one_shard_s_and_an_account_s_stay_together() -> None:
    shards = [Shard(number, 4) for number in (1, 2, 3, 4)]
    wanted = [task(number) for number in range(400)]
    for one in wanted:
        assert sum(shard.has(one) for shard in shards) == 1
    order = task(7, "execute_orders", Job.EXECUTE_ORDERS)
    assert [shard.has(order) for shard in shards] == [shard.has(task(7)) for shard in shards]
    assert min(sum(shard.has(one) for one in wanted) for shard in shards) > 70


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/0", "-1/2", ""])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="shard"):
        Shard.parse(text)


def test_a_shard_is_read_as_it_is_written() -> None:
    assert Shard.parse("2/4") == Shard(2, 4)
