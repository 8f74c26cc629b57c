"""The plain routes: asking, searching and listing over HTTP, for programs and for other assistants.

`routes` is the way in; `desk` takes what is asked and keeps it bounded; `doorkeeper` numbers requests and
counts them; `problems` tells what went wrong. Nothing here decides what is said, and nothing logs a message.
"""
