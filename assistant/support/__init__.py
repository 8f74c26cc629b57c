"""Does a written sentence say no more than the sentences that it cites?

facts.py reads a sentence, rules.py holds the hard vetoes, model.py joins softer signs into a probability.
"""
