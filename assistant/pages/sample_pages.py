"""The pages of the bundled sample blog, whose host exists nowhere: shown here, links to them really open."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from index.generation import Generation
from ingest import sample

# Web address -> where this server shows it.
HOSTED = (f"https://{sample.HOST}/", "sample/")

# The path of its articles, which is the beginning of their ids too.
_FOLDER = "/blogs/trigger-points"


def holds_sample(generation: Generation) -> bool:
    """Whether any of its articles is of the sample blog."""
    paths = {f"{_FOLDER}/{path.stem}" for path in sample.FOLDER.glob("*.html")}
    rows = (generation.article_row(one) for one in generation.ids if one in paths)
    return any(urlsplit(generation.article(row).url).hostname == sample.HOST for row in rows)


def router() -> APIRouter:
    """The pages at the paths of their canonical addresses, and their style sheet."""
    routes = APIRouter(prefix="/sample", include_in_schema=False)
    pages = {path.stem: path for path in sample.FOLDER.glob("*.html")}

    @routes.get("/theme.css")
    def theme() -> FileResponse:
        return FileResponse(sample.FOLDER / "theme.css")

    @routes.get(_FOLDER + "/{handle}")
    def page(handle: str) -> FileResponse:
        if handle not in pages:
            raise HTTPException(404, "The sample blog has no such page.")
        return FileResponse(pages[handle])

    return routes
