"""The articles by region of the body and by muscle, and a drawing to choose them by.

`regions.toml` draws the regions and says which of the lexicon's muscles lie in each; `body_map` finds the
articles of one generation for them.
"""
