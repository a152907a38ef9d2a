"""Reasons that those who govern meet: the timelock's."""

from bulkhead.errors._entry import Entry

GOVERNANCE = {
    "access_control: account is missing role": Entry(
        "The caller has not the role that the timelock asks for.", "Send it from a proposer."
    ),
    "access_control: can only renounce roles for itself": Entry(
        "A role is given up by who has it.", "Send it from the account that has the role."
    ),
    "timelock: bad delay": Entry(
        "The delay is 1 second to 30 days.", "Deploy the timelock with another delay."
    ),
    "timelock: no proposer": Entry(
        "Without a proposer nothing could ever be scheduled.", "Name at least one."
    ),
    "timelock_controller: caller must be timelock": Entry(
        "The timelock's delay changes by an operation of its own.",
        "Schedule a call of the timelock itself.",
    ),
    "timelock_controller: insufficient delay": Entry(
        "The delay asked for is below the timelock's.", "Ask for at least its delay."
    ),
    "timelock_controller: length mismatch": Entry(
        "Targets, amounts and payloads are not equally many.", "Name one of each for every call."
    ),
    "timelock_controller: missing dependency": Entry(
        "The operation that must come first is not done.", "Execute that one first.", True
    ),
    "timelock_controller: operation already scheduled": Entry(
        "The same calls with the same salt have been scheduled before.", "Choose another salt."
    ),
    "timelock_controller: operation cannot be cancelled": Entry(
        "No such operation waits: it was never scheduled, is done, or was cancelled.",
        "Check its id.",
    ),
    "timelock_controller: operation is not ready": Entry(
        "The operation's delay still runs, or no such operation waits.",
        "Execute it from its time on.",
        True,
    ),
    "timelock_controller: underlying transaction reverted": Entry(
        "A call of the operation reverted without a reason.", "Try the call by itself."
    ),
}
