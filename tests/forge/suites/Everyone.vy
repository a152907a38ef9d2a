# pragma version 0.4.3
"""
@title Everyone
@license MIT
@notice An exchange and all that anybody may do to it, each from one seed.
"""

from ..handlers import accounts
from ..handlers import books
from ..handlers import deployment
from ..handlers import desk
from ..handlers import doubts
from ..handlers import drafts
from ..handlers import IExchange
from ..handlers import keepers
from ..handlers import orders
from ..handlers import owners
from ..handlers import providers
from ..handlers import rights
from ..handlers import settlements
from ..handlers import signatures
from ..handlers import stage
from ..handlers import ties
from ..handlers import typed_data

initializes: stage
initializes: deployment[stage := stage]
initializes: books[stage := stage]
initializes: accounts[stage := stage, books := books]
initializes: typed_data[stage := stage]
initializes: drafts[stage := stage, books := books]
initializes: desk[
    stage := stage, books := books, drafts := drafts, typed_data := typed_data
]
initializes: orders[stage := stage, books := books, drafts := drafts, desk := desk]
initializes: ties[
    stage := stage, books := books, drafts := drafts, desk := desk, typed_data := typed_data
]
initializes: signatures[
    stage := stage,
    books := books,
    drafts := drafts,
    desk := desk,
    ties := ties,
    typed_data := typed_data,
]
initializes: rights[stage := stage, books := books]
initializes: keepers[stage := stage, books := books]
initializes: doubts[stage := stage, books := books]
initializes: settlements[stage := stage, books := books]
initializes: providers[stage := stage, books := books]
initializes: owners[stage := stage, books := books, deployment := deployment]

exports: (
    accounts.__interface__,
    orders.__interface__,
    ties.__interface__,
    signatures.__interface__,
    rights.__interface__,
    keepers.__interface__,
    doubts.__interface__,
    settlements.__interface__,
    providers.__interface__,
    owners.__interface__,
)

@external
def open(deployed: IExchange):
    """
    @notice The exchange that everybody acts on. Not a constructor: its code and this contract's together
            would be more than Vyper's jumps reach.
    """
    stage._open(staticcall deployed.exchange())
    books._close(books.EVERYBODY)


@external
def check():
    """
    @notice All that must hold, slot by slot.
    """
    books._check_all()


@external
def report(path: String[96]):
    """
    @notice Appends to a file what has been called, refused and seen.
    """
    stage._report(path)
