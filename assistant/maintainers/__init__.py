"""The maintainers' pages: what is served and from where, previews, runs, decisions, generations and words."""
