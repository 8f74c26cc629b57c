"""The world -> Articles: one reader per kind of source, cleaning, the Article type, the bundled sample blog.

Knows nothing of searching or answering.
"""
