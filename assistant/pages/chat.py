"""The visitor's chat in Gradio: one component holds the page, one call to the server is one turn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

# Read by Gradio when it is imported: without it, it would report the start to its makers' server.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
import gradio as gr

from assistant.pages import turns
from assistant.pages.assets import HERE, TITLE, address
from assistant.pages.cards import templates
from assistant.pages.front import Front
from assistant.pages.page import page_parts

_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
_MONO = ("ui-monospace", "monospace")


def mount(app: FastAPI, front: Front, starters: Sequence[str], *, keeps: bool) -> None:
    """Put the chat at the root of an application, behind the routes that it has already.

    Args:
        app: Serves the files of ASSETS under /pages/.
        front: Answers, and shows the answers.
        starters: Questions for the empty page.
        keeps: Whether visitors may leave feedback to be kept.
    """

    async def ask(sent: object) -> dict[str, Any]:
        return await turns.reply(front.now, turns.Turn.model_validate(sent))

    async def onward(sent: object) -> list[str]:
        return await turns.onward(front.now, turns.Answered.model_validate(sent))

    page = templates.get_template("page.html").render(page_parts(starters, keeps=keeps))
    with gr.Blocks(analytics_enabled=False, title=TITLE, fill_width=True) as blocks:
        # Not a queued event: a call tells the page itself when it fails, keeps nothing on the server
        # between turns, and answers about three times as fast.
        gr.HTML(
            page,
            apply_default_css=False,
            server_functions=[ask, onward],
            head=f'<script src="{address("chat.js")}"></script>',
            js_on_load="window.referral.start(element, server);",
        )
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,  # would keep the visitor's messages in the browser's storage
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        app_kwargs={"docs_url": None, "redoc_url": None},
        favicon_path=str(HERE / "icon.svg"),
        theme=_theme(),
        head=f'<link rel="stylesheet" href="{address("chat.css")}">'
        f'<link rel="icon" href="{address("icon.svg")}">'
        '<meta name="color-scheme" content="light dark">'
        f'<meta name="description" content="{TITLE}">',
    )


def _theme() -> gr.themes.Base:
    """System fonts, and the page's background from the first paint on; chat.css does everything else."""
    return gr.themes.Base(font=_SANS, font_mono=_MONO).set(
        body_background_fill="#fbf9f5",
        body_background_fill_dark="#171614",
        body_text_color="#23211d",
        body_text_color_dark="#ece7de",
    )
