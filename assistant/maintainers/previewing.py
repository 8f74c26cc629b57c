"""A preview: what would be made of a page or a file, side by side with what came."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, UploadFile
from fastapi.responses import HTMLResponse

from assistant.accounts.doors import SignedIn
from assistant.maintainers.room import Room
from assistant.maintainers.works import Preview, PreviewError

# Of a page that came, so much is shown; all of it is read.
_SHOWN = 100_000
# Below the server's limit of a whole request, so that nothing is ever put down on the disk.
LARGEST = 900_000
_PASTED = "what was pasted"


def add(routes: APIRouter, room: Room) -> None:
    """Add the page."""
    door = room.office.doors.maintainer

    @routes.get("/preview")
    def empty(who: Annotated[SignedIn, Depends(door)]) -> HTMLResponse:
        return _page(room, who)

    @routes.post("/preview")
    def preview(
        who: Annotated[SignedIn, Depends(door)],
        address: Annotated[str, Form(max_length=2000)] = "",
        pasted: Annotated[str, Form()] = "",
        file: Annotated[UploadFile | None, File()] = None,
    ) -> HTMLResponse:
        try:
            found, about = _preview(room, address.strip(), pasted, file)
        except PreviewError as error:
            room.office.doors.note(who, "preview refused", address.strip() or "a file")
            return _page(room, who, wrong=str(error), address=address, status=422)
        room.office.doors.note(who, "preview", about)
        return _page(room, who, preview=found, address=address)


def _preview(room: Room, address: str, pasted: str, file: UploadFile | None) -> tuple[Preview, str]:
    """The preview of the first of these that was given, and its name for the audit.

    Raises:
        PreviewError: None was given, or nothing can be made of it.
    """
    if address:
        return room.works.look_at(address), address
    if file is not None and file.filename:
        # A browser may send a whole path, and no name is as long as that.
        name = file.filename.replace("\\", "/").rpartition("/")[2][:200]
        return room.works.look_into(name, _within(file.file.read(LARGEST + 1))), name
    if pasted.strip():
        return room.works.look_into(_PASTED, _within(pasted.encode())), _PASTED
    raise PreviewError("Give an address, choose a file, or paste a page.")


def _within(data: bytes) -> bytes:
    """The same bytes, when they are not too many.

    Raises:
        PreviewError: They are.
    """
    if len(data) > LARGEST:
        raise PreviewError(
            f"It is larger than {LARGEST // 1000} kB. Look at it with `referral ingest --explain` instead."
        )
    return data


def _page(
    room: Room,
    who: SignedIn,
    *,
    preview: Preview | None = None,
    address: str = "",
    wrong: str = "",
    status: int = 200,
) -> HTMLResponse:
    lines = preview.lines if preview else ()
    return room.page(
        who,
        "preview",
        status=status,
        wrong=wrong,
        preview=preview,
        wanted=address,
        raw=preview.raw[:_SHOWN] if preview else "",
        cut=bool(preview and len(preview.raw) > _SHOWN),
        kept=sum(bool(one.kept_as) for one in lines),
        limit=LARGEST // 1000,
    )
