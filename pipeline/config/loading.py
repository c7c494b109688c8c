"""Read a YAML file into a typed, immutable model, or say what is wrong with it."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.domain.errors import ConfigError


class Settings(BaseModel):
    """Base of all settings: unknown keys are errors, values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


Model = TypeVar("Model", bound=Settings)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises
    ------
    ConfigError
        If the file is missing, is not YAML, or is not a mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}). Check the path of the configuration."
        raise ConfigError(msg) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path}: is not valid YAML: {' '.join(str(error).split())}"
        raise ConfigError(msg) from None
    if not isinstance(content, dict):
        msg = f"{path}: expected keys and values, got {type(content).__name__}."
        raise ConfigError(msg)
    return content


def load_settings(model: type[Model], path: Path) -> Model:
    """Read one YAML file into its model.

    Raises
    ------
    ConfigError
        Naming the file, each bad key with its value, and what is allowed.
    """
    return parse_settings(model, read_yaml(path), path)


def parse_settings(model: type[Model], content: Mapping[str, Any], source: Path | str) -> Model:
    """Check a mapping against a model; ``source`` is named in the errors."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = [_describe(problem, model) for problem in error.errors()]
        raise ConfigError("\n".join(f"{source}: {line}" for line in lines)) from None


def _describe(problem: Any, model: type[Settings]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"key {key}: unknown.{_suggestion(str(problem['loc'][-1]), model)}"
    if problem["type"] == "missing":
        return f"key {key}: missing; it has no default."
    return f"key {key}: {problem['msg']}, got {problem['input']!r}."


def _suggestion(key: str, model: type[Settings]) -> str:
    known = sorted(model.model_fields)
    close = difflib.get_close_matches(key, known, n=1)
    return (
        f" Did you mean {close[0]}?" if close else f" Known at the top level: {', '.join(known)}."
    )
