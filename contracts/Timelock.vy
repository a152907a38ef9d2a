# pragma version 0.4.3
# pragma nonreentrancy off
"""
@title Timelock
@license MIT
@notice What is meant to own the exchange: its proposers schedule calls, which anyone executes once a
        delay is over, and which its proposers can cancel until then.
@dev snekmate's controller, self-administered: its roles and its delay change by scheduled calls alone.
     It needs no lock, because an operation is done once, whoever calls back. What lets it receive ETH
     and NFTs is left out. One call is at most 1,024 bytes.
"""

from snekmate.auth import access_control
from snekmate.governance import timelock_controller

initializes: access_control
initializes: timelock_controller[access_control := access_control]

exports: (
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
    timelock_controller.PROPOSER_ROLE,
    timelock_controller.EXECUTOR_ROLE,
    timelock_controller.CANCELLER_ROLE,
    timelock_controller.get_timestamp,
    timelock_controller.get_minimum_delay,
    timelock_controller.is_operation,
    timelock_controller.is_operation_pending,
    timelock_controller.is_operation_ready,
    timelock_controller.is_operation_done,
    timelock_controller.hash_operation,
    timelock_controller.hash_operation_batch,
    timelock_controller.schedule,
    timelock_controller.schedule_batch,
    timelock_controller.cancel,
    timelock_controller.execute,
    timelock_controller.execute_batch,
    timelock_controller.update_delay,
)

MAX_DELAY: constant(uint256) = 30 * 86_400  # seconds: one that never ends would own the exchange
MAX_PROPOSERS: constant(uint256) = 8


@deploy
def __init__(delay: uint256, proposers: DynArray[address, MAX_PROPOSERS]):
    assert delay != 0 and delay <= MAX_DELAY, "timelock: bad delay"
    assert len(proposers) != 0, "timelock: no proposer"
    access_control.__init__()
    # The zero address: whoever likes may execute. No administrator but itself.
    timelock_controller.__init__(delay, proposers, [empty(address)], empty(address))
