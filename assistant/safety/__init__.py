"""Safety before everything: what reads each message first, and the fixed texts that it may show.

`check` decides how urgent a conversation is, `notices` holds the text for it, `scope` knows what is refused.
What a clinician reviews is in plain files: signs.toml, rules.toml, notices.toml, scope.toml, messages.jsonl.
"""
