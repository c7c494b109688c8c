import pytest

from pipeline.cli import describe_pace, track_progress


@pytest.mark.parametrize(
    ("done", "total", "passed_s", "said"),
    [
        (40, 100, 33.3, ", 1.2 cases/s, about 50 s left"),  # 60 * 33.3 / 40 = 49.95
        (10, 100, 600, ", 60.0 s a case, about 90 min left"),
        (1, 100, 360, ", 360.0 s a case, about 10 h left"),  # 99 * 0.1 h
        (100, 100, 50, ", 2.0 cases/s"),
        (1, 100, 0.5, ""),
    ],
)
def test_the_pace_and_the_rest(done: int, total: int, passed_s: float, said: str) -> None:
    assert describe_pace(done, total, passed_s) == said


def test_a_log_gets_ten_lines_and_one_after_a_silent_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, *(float(second) for second in range(61, 61 + 40))])
    monkeypatch.setattr("pipeline.cli.time.monotonic", lambda: next(clock))
    assert list(track_progress(range(40), 40, "extract")) == list(range(40))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "extract: 1/40, 61.0 s a case, about 40 min left"
    assert [line.split(",")[0].removeprefix("extract: ") for line in lines[1:]] == [
        f"{done}/40" for done in range(4, 41, 4)
    ]
