"""The skeleton that every page shares: one offline file with the banners, the style and a body."""

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

RESEARCH_ONLY = "Research use only. Not a medical device."
"""Stands on top of every page."""

SYNTHETIC = "Synthetic, not evidence: these patients are invented."
"""Stands on top of every page about the demo cohort."""


def render_page(title: str, body: str, *, synthetic: bool) -> str:
    """Put a body into the page skeleton.

    The result needs no network and no other file: the style sheet is inside, pictures are to be
    inline SVG or ``data:`` addresses. It is readable on a telephone and printed.

    Parameters
    ----------
    title : str
        Plain text; escaped here.
    body : str
        HTML that is already safe, as :func:`render_template` returns it. It is not escaped.
    synthetic : bool
        Whether the numbers come from an invented cohort; the page then says so.

    Returns
    -------
    str
        A complete HTML document.
    """
    return render_template(
        "page.html",
        title=title,
        body=Markup(body),
        banners=[RESEARCH_ONLY, *([SYNTHETIC] if synthetic else [])],
    )


def render_template(name: str, **context: object) -> str:
    """Fill a template of ``pipeline/report/templates``; every value is escaped.

    Parameters
    ----------
    name : str
        File name of the template.
    **context : object
        What the template shows. A name that the template uses and that is absent is an error.

    Returns
    -------
    str
        HTML, safe to pass as ``body`` to :func:`render_page`.
    """
    return _templates().get_template(name).render(**context)


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
