"""The skeleton: one file, escaped, labelled."""

from importlib.metadata import version

import pytest
from jinja2 import UndefinedError

from pipeline.report import versions
from pipeline.report.page import RESEARCH_ONLY, SYNTHETIC, render_page, render_template


def test_title_is_escaped_and_body_is_not() -> None:
    page = render_page("a <b>", "<p>x</p>", synthetic=False)
    assert "a &lt;b&gt;" in page
    assert "<p>x</p>" in page


@pytest.mark.parametrize("synthetic", [True, False])
def test_banners(synthetic: bool) -> None:
    page = render_page("t", "", synthetic=synthetic)
    assert RESEARCH_ONLY in page
    assert (SYNTHETIC in page) == synthetic


def test_page_needs_nothing_else() -> None:
    page = render_page("t", "", synthetic=False)
    assert not any(
        word in page for word in ("http:", "https:", "<link", "<script", "@import", "url(")
    )


def test_a_forgotten_value_is_an_error_not_a_gap() -> None:
    with pytest.raises(UndefinedError, match="title"):
        render_template("page.html", body="", banners=[])


def test_absent_packages_are_said_to_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_PACKAGES", ("numpy", "no-such-package"))
    found = versions.list_versions()
    assert found["numpy"] == version("numpy")
    assert found["no-such-package"] == "not installed"
