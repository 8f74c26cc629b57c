"""Who may come in: accounts, their passwords and sessions, and the doors of the staff's pages."""
