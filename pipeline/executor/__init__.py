"""Do the same work for many cases, here or on a cluster, no case stopping another.

The outcome does not depend on where the work is done, nor on how many do it.
"""
