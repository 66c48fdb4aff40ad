"""DonorPerfect: gifts are read from it, and interactions are written into it.

From the outside in: client (the questions we ask, as typed rows), meaning (what a row says to us: pure), api (one call
and its outcome), answers and damaged (what came back), wire (how values, SQL and the key are written).
"""
