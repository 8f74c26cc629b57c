"""A question -> an Answer: safety first, then conversation, evidence, engines, grounding, citations, pages.

Searches through `index`; never reads a source itself.
"""
