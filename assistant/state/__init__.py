"""What the server remembers beside the index: a database, SQLite by default, and its migrations."""
