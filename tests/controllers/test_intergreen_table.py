"""An authority's table: read as it is meant, or refused with everything that is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ampelwerk.controllers.intergreen_table import import_table
from ampelwerk.models.envelope import RoadUser
from ampelwerk.models.errors import Finding, InvalidInputError, UnsafePlanError

HEAD = "group,serves,min_green_s,amber_s,red_amber_s,min_red_s,max_red_s,K1,K2,F1\n"
GOOD = HEAD + ("K1,motor,5,3,1,1,120,,6,5\nK2,motor,5,3,1,1,,5,-,\nF1,pedestrian,7,0,0,1,,8,,\n")
STAGES = "stage,green,duration_s\n1,K1,30\n2,K2 F1,25\n"


def table(folder: Path, text: str, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def findings(folder: Path, text: str, stages: str | None = None) -> list[Finding]:
    given = table(folder, stages, "stages.csv") if stages else None
    with pytest.raises(UnsafePlanError) as refused:
        import_table(table(folder, text), "J1", stages=given)
    return list(refused.value.findings)


def test_table_is_read_as_it_is_meant(tmp_path: Path) -> None:
    data = import_table(table(tmp_path, GOOD), "J1", stages=table(tmp_path, STAGES, "stages.csv"))
    envelope = data.intersection.envelope
    assert [group.group_id for group in envelope.groups] == ["K1", "K2", "F1"]
    assert envelope.groups[2].road_user is RoadUser.PEDESTRIAN
    assert [group.max_red_ds for group in envelope.groups] == [1200, None, None]
    assert envelope.intergreen_ds == ((None, 60, 50), (50, None, None), (80, None, None))
    assert envelope.conflict == ((False, True, True), (True, False, False), (True, False, False))
    assert [stage.groups for stage in data.intersection.stages] == [(0,), (1, 2)]
    assert data.intersection.plans[0].cycle_ds == 550


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    text = GOOD.replace(",", ";").replace("6;5", "6,5;5")
    envelope = import_table(table(tmp_path, "\ufeff" + text), "J1").intersection.envelope
    assert envelope.intergreen_ds[0] == (None, 65, 50)


def test_without_stages_they_are_all_largest_compatible_sets(tmp_path: Path) -> None:
    site = import_table(table(tmp_path, GOOD), "J1").intersection
    assert [stage.groups for stage in site.stages] == [(1, 2), (0,)]
    assert site.plans == ()


def test_one_sided_conflicts_and_gaps_are_all_named(tmp_path: Path) -> None:
    text = HEAD + "K1,motor,5,3,1,1,120,,,5\nK2,motor,5,3,1,1,,5,,\nF1,pedestrian,7,0,0,1,,,,\n"
    found = findings(tmp_path, text)
    assert [finding.rule for finding in found] == ["conflict_asymmetric"] * 2
    assert "line 2, K2" in found[0].where
    assert "K1 to K2 is empty" in found[0].message
    assert "line 4, K1" in found[1].where


def test_group_without_column_is_an_incomplete_matrix(tmp_path: Path) -> None:
    text = GOOD.replace(",K1,K2,F1\n", ",K1,K2\n").replace("6,5\n", "6\n")
    text = text.replace("5,-,\n", "5,-\n").replace("8,,\n", "8,\n")
    found = findings(tmp_path, text)
    assert {finding.rule for finding in found} == {"matrix_shape"}
    assert "F1 has no column" in found[0].message


def test_column_without_group(tmp_path: Path) -> None:
    text = GOOD.replace("F1,pedestrian,7,0,0,1,,8,,\n", "")
    assert any("no signal group" in finding.message for finding in findings(tmp_path, text))


def test_every_error_is_told_at_once_with_line_field_limit_and_remedy(tmp_path: Path) -> None:
    text = HEAD + (
        "K1,car,4,2,1,1,120,7,6,5\nK1,motor,5,nan,3,1,-1,5,-,\nF 1,pedestrian,1e3,0,0,0,,8,99,\n"
    )
    found = findings(tmp_path, text)
    rules = {finding.rule for finding in found}
    assert {"road_user", "profile", "group_id", "time", "self_conflict"} <= rules
    places = " ".join(finding.where for finding in found)
    for place in ("line 2, serves", "line 3, group", "line 3, amber_s", "line 4, min_green_s"):
        assert place in places
    for finding in found:
        assert "table.csv, line " in finding.where
        assert finding.remedy
    assert any("0 to 6 s in steps of 0.1 s" in finding.message for finding in found)


@pytest.mark.parametrize("value", ["", "-1", "0.05", "1,5", "61", "inf", "NaN", "5 s", "１"])
def test_intergreens_that_are_none(tmp_path: Path, value: str) -> None:
    text = GOOD.replace("120,,6,5", f'120,,"{value}",5') if value else GOOD.replace(",6,5", ",,5")
    assert findings(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("", "columns are missing"),
        ("group,serves\nK1,motor\n", "min_green_s"),
        (HEAD, "no rows"),
        (HEAD.replace("K2", "K1"), "twice"),
    ],
)
def test_no_table_at_all(tmp_path: Path, text: str, phrase: str) -> None:
    with pytest.raises(InvalidInputError, match=phrase):
        import_table(table(tmp_path, text), "J1")


def test_row_that_is_too_short_or_too_long(tmp_path: Path) -> None:
    found = findings(tmp_path, GOOD.replace("8,,\n", "8\n").replace("5,-,\n", "5,-,,9\n"))
    assert sum(finding.rule == "row_length" for finding in found) == 2


def test_stages_that_conflict_are_unknown_or_too_short(tmp_path: Path) -> None:
    found = findings(tmp_path, GOOD, "stage,green,duration_s\n1,K1 K2,30\n1,K9,5\n")
    assert {finding.rule for finding in found} == {"stage_conflict", "stage_group", "stage_id"}
    short = findings(tmp_path, GOOD, STAGES.replace("25", "9"))
    assert [finding.rule for finding in short] == ["plan_step"]
    assert "line 3, duration_s" in short[0].where


def test_shortest_step_is_intergreen_and_minimum_green(tmp_path: Path) -> None:
    """K1 off to K2: 6 s; F1: 5 s before, then 7 s of green. So 13 s do not fit 12."""
    for duration, fits in (("12", True), ("11.9", False)):
        stages = table(tmp_path, STAGES.replace("25", duration), "stages.csv")
        if fits:
            import_table(table(tmp_path, GOOD), "J1", stages=stages)
        else:
            with pytest.raises(UnsafePlanError):
                import_table(table(tmp_path, GOOD), "J1", stages=stages)


def test_name_of_the_intersection_is_checked(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="name of an intersection"):
        import_table(table(tmp_path, GOOD), "../J1")
