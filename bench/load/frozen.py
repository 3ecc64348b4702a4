"""Takes what is there when this module is imported out of every later garbage collection.

For the fork server, as the last of what it imports: a collection writes to each object that it
looks at, and so would give every worker a copy of all that they could share.
"""

import gc

gc.collect()
gc.freeze()
