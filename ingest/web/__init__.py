"""A live blog -> its pages: a polite, careful reader of feeds, sitemaps and pages.

Knows nothing of what an article is; what it fetches goes through the same readers as files do.
"""
