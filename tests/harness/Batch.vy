# pragma version 0.4.3
"""
@title Many calls in one
@license MIT
@notice Calls one target with many inputs of equal width and tells what each call answered.
"""

BATCH: constant(uint256) = 1_000
MAX_WIDTH: constant(uint256) = 4 + 32 * 20
MAX_ANSWER: constant(uint256) = 32 * 12


struct Answer:
    success: bool
    data: Bytes[MAX_ANSWER]


@external
@view
def each(
    target: address, width: uint256, calls: Bytes[BATCH * MAX_WIDTH]
) -> DynArray[Answer, BATCH]:
    """
    @param width How many bytes each call takes.
    @param calls Selector and arguments of every call, one after the other.
    """
    answers: DynArray[Answer, BATCH] = []
    for i: uint256 in range(len(calls) // width, bound=BATCH):
        answer: Answer = empty(Answer)
        answer.success, answer.data = raw_call(
            target,
            slice(calls, i * width, width),
            max_outsize=MAX_ANSWER,
            is_static_call=True,
            revert_on_failure=False,
        )
        answers.append(answer)
    return answers
