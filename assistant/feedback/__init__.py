"""What visitors think of an answer: counted always, kept only when they say so, and for a month at most.

`feedback` keeps and deletes; `routes` is what the pages call; `tables` is read by the staff's queue too.
"""
