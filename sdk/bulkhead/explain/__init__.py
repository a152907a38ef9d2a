"""Why something was liquidated, and what became of it: inputs and arithmetic, step by step.

The state just before the liquidation is what the chain held a block earlier, and the logs of its
block up to it. From there every number is worked out anew and compared with what was logged.
"""

from bulkhead.explain.liquidation import told as told
from bulkhead.explain.reading import explain_liquidation as explain_liquidation
from bulkhead.explain.reading import latest_liquidation as latest_liquidation
from bulkhead.explain.tale import Check as Check
from bulkhead.explain.tale import Explanation as Explanation
from bulkhead.explain.tale import Part as Part
from bulkhead.explain.tale import Step as Step
