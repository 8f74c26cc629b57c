"""The visitor's page and the plain routes beside it: an Answer -> HTML, text or JSON.

`server` is the way in; `chat` is the only module that knows Gradio; `cards` and `notice_panel` turn an answer
into what the templates show. Nothing here decides what is said.
"""
