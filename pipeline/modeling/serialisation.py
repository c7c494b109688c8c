"""Fitted procedures as skops files: no pickle, known types only, the same bytes every time."""

import io
import itertools
import json
import zipfile
from typing import Any

import skops.io
from sklearn.pipeline import Pipeline

from pipeline.domain.errors import BundleError

TRUSTED_TYPES = frozenset(
    {
        "pipeline.modeling.candidates.average.Average",
        "pipeline.modeling.candidates.boosted_trees.BoostedTrees",
        "pipeline.modeling.candidates.elastic_net.ElasticNet",
        "pipeline.modeling.candidates.logistic.Logistic",
        "pipeline.modeling.candidates.random_forest.RandomForest",
        "pipeline.modeling.preprocessing.informative_columns.InformativeColumns",
        "pipeline.modeling.preprocessing.median_imputer.MedianImputer",
        "pipeline.modeling.preprocessing.near_duplicates.NearDuplicateFilter",
        "pipeline.modeling.preprocessing.winsoriser.Winsoriser",
        "sklearn.tree._tree.Tree",  # inside a random forest
    }
)
"""Types beyond skops' own safe ones that a model file may hold. The list is in our code, never in
the file: a file that names its own trusted types could run anything."""

_SCHEMA = "schema.json"
_EARLIEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def dump_procedure(procedure: Pipeline) -> bytes:
    """Return a fitted procedure as the bytes of a skops file."""
    return _canonicalise(skops.io.dumps(procedure))


def load_procedure(content: bytes, name: str) -> Pipeline:
    """Rebuild a procedure; ``name`` is the file, for messages.

    Raises
    ------
    BundleError
        If the file holds a type that is not trusted, or is no skops file.
    """
    try:
        unknown = sorted(set(skops.io.get_untrusted_types(data=content)) - TRUSTED_TYPES)
        if not unknown:
            return skops.io.loads(content, trusted=sorted(TRUSTED_TYPES))
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        msg = f"{name}: expected a skops file, got {error}. Train again or fetch the bundle anew."
        raise BundleError(msg) from None
    msg = (
        f"{name}: expected only known types, got {', '.join(unknown)}. Such a file could run"
        " foreign code and is not loaded. Fetch the bundle from where it was trained."
    )
    raise BundleError(msg)


def _canonicalise(content: bytes) -> bytes:
    """Replace what changes from run to run: memory addresses as identifiers, and times."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members.pop(_SCHEMA))
    numbers = _Numbers()
    numbers.replace(schema)
    renamed = {numbers.rename(name): data for name, data in members.items()}
    renamed[_SCHEMA] = json.dumps(schema).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(renamed):
            entry = zipfile.ZipInfo(name, _EARLIEST_ZIP_DATE)
            archive.writestr(entry, renamed[name], zipfile.ZIP_DEFLATED)
    return stream.getvalue()


class _Numbers:
    """Numbers for the objects of a schema, in the order of their first appearance."""

    def __init__(self) -> None:
        self._count = itertools.count()
        self._by_address: dict[int, int] = {}

    def replace(self, node: Any) -> None:
        """Replace addresses and member names by numbers, in place."""
        if isinstance(node, list):
            for item in node:
                self.replace(item)
        elif isinstance(node, dict):
            if "__id__" in node:
                node["__id__"] = self._number(node)
            if isinstance(node.get("file"), str):
                node["file"] = self.rename(node["file"])
            for item in node.values():
                self.replace(item)

    def rename(self, member: str) -> str:
        """Return the name of an archive member that was named by an address."""
        address, _, ending = member.partition(".")
        return f"{self._of(int(address))}.{ending}" if address.isdigit() else member

    def _number(self, node: dict[str, Any]) -> int:
        # Whether two equal texts or numbers are one object is the interpreter's whim, so each
        # gets its own number; arrays and estimators that are shared stay shared.
        if node.get("__loader__") in ("JsonNode", "TypeNode"):
            return next(self._count)
        return self._of(node["__id__"])

    def _of(self, address: int) -> int:
        if address not in self._by_address:
            self._by_address[address] = next(self._count)
        return self._by_address[address]
