"""What each problem code means, taken from the documentation beside it."""

import ast
import inspect
from functools import lru_cache

from pipeline.ingest import codes


@lru_cache(maxsize=1)
def code_meanings() -> dict[str, str]:
    """Return every code of :class:`pipeline.ingest.codes.Code` with its meaning, in that order.

    The meaning is the text under each member. Python keeps no such text, so the module's source is
    read; a member without one is an empty text here, which a test forbids.
    """
    tree = ast.parse(inspect.getsource(codes))
    members = next(
        node.body
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == codes.Code.__name__
    )
    following = [*members[1:], ast.Pass()]
    return {
        str(ast.literal_eval(member.value)): _text(below)
        for member, below in zip(members, following, strict=True)
        if isinstance(member, ast.Assign)
    }


def _text(node: ast.stmt) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return " ".join(text.split())
        case _:
            return ""
