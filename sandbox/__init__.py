"""Stand-ins for every outside system, speaking the real wire protocols, with switchable faults.

Nothing here imports a module of the product: a stand-in must not share a mistake with the code that it tests.
"""
