"""Write the contract's files beside this one: `python schemas/write.py`."""

import json
from pathlib import Path

import yaml

from piio_schemas.asyncapi import asyncapi
from piio_schemas.jsonschemas import documents

HERE = Path(__file__).parent


def files() -> dict[str, str]:
    """Return every file's text by its name."""
    made = {f"{name}.schema.json": json.dumps(schema, indent=2) + "\n" for name, schema in documents().items()}
    made["asyncapi.yaml"] = yaml.safe_dump(_plain(asyncapi()), sort_keys=False, allow_unicode=True, width=120)
    return made


def _plain(document: object) -> object:
    """Return a copy that shares nothing, so that YAML needs no anchors."""
    return json.loads(json.dumps(document))


def main() -> None:
    """Write what is new and remove schemas of documents that are gone."""
    made = files()
    for old in HERE.glob("*.schema.json"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (HERE / name).write_text(text)


if __name__ == "__main__":
    main()
