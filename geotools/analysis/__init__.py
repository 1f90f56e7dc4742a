"""Floor 4: what the records mean on the ground: ledger, coverage, swaths, trials, sampling, residual risk.

For computing on frames; rooms never import each other, they hand each other frames.
"""
