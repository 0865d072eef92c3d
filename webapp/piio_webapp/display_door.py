"""Displays: JavaScript modules found in folders, ours by the same door as anybody's."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, current_app, jsonify, send_from_directory

from piio_webapp.login_form import only_people

log = logging.getLogger(__name__)

OURS = Path(__file__).parent / "displays"
_TYPE = re.compile(r"[a-z][a-z0-9-]{0,62}")

blueprint = Blueprint("displays", __name__, url_prefix="/displays")


def found(folders: Sequence[Path]) -> dict[str, Path]:
    """Return each type of display and its file, `<type>.js`; of two of one name the first folder's is taken."""
    types: dict[str, Path] = {}
    for folder in folders:
        for file in sorted(folder.glob("*.js")):
            if not _TYPE.fullmatch(file.stem):
                log.warning("%s is no display: call it a-z, 0-9 and '-', beginning with a letter", file)
            elif file.stem in types:
                log.warning("%s is left out: %s shows '%s' already", file, types[file.stem], file.stem)
            else:
                types[file.stem] = file
    return types


@blueprint.get("/")
@only_people
def listed() -> Any:
    """The types there are, and where each one's module is."""
    types = found(current_app.config["DISPLAY_FOLDERS"])
    return jsonify({type: f"/displays/{type}.js" for type in types})


@blueprint.get("/<type>.js")
@only_people
def module(type: str) -> Any:
    """One display's module."""
    file = found(current_app.config["DISPLAY_FOLDERS"]).get(type)
    if file is None:
        abort(404)
    return send_from_directory(file.parent.resolve(), file.name, mimetype="text/javascript")
