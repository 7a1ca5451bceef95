from __future__ import annotations

import dataclasses
import json
import math

import pytest

from detector.report import KINDS, Evidence, Name, NameForm, Report, SentenceReport, Signature, dumps

SIGNATURE = Signature(
    version="0.1.0",
    model="0123456789ab",
    backend="onnx",
    features=("damage", "casing.inside"),
    operating_point="fpr_1e-2",
    threshold=0.8,
    text_threshold=0.7,
    segmenter="punkt-1",
    language_identifier="langdetect-1.0.9",
    disabled_rules=("names.drift",),
)


def make_report(text: str, *, score: float = 0.9) -> Report:
    evidence = Evidence(0, 3, "name", 0.75, "names.drift", "One name, two spellings.", ("Xi", "习"))
    sentence = SentenceReport(text, 0, len(text), math.nan, "too_short", (evidence,), {"damage": -1.5})
    return Report(
        text,
        "en",
        score,
        "flagged",
        None,
        (sentence,),
        (evidence,),
        {"mean": 0.5},
        SIGNATURE,
        ("n",),
        names=(Name("Xi", (NameForm("Xi", ((0, 2), (4, 6))), NameForm("Ji", ((8, 10),))), True),),
    )


@pytest.mark.parametrize(
    "text", ["Ji met no one.", "习近平抵达港口。", "وصل الوزير إلى الميناء.", "a\r\n🙂\x00\x9b"]
)
def test_json_carries_a_report_there_and_back(text: str) -> None:
    report = make_report(text)
    back = Report.from_dict(json.loads(report.to_json()))
    assert back.text == text
    assert math.isnan(back.sentences[0].score)
    assert back.to_dict() == report.to_dict()
    assert dataclasses.replace(back, sentences=()) == dataclasses.replace(report, sentences=())


def test_json_from_before_names_were_listed_can_be_read() -> None:
    data = make_report("Ji met no one.").to_dict()
    del data["names"]
    assert Report.from_dict(data).names == ()


def test_a_score_that_was_withheld_is_null() -> None:
    data = json.loads(make_report("Hi.", score=math.nan).to_json())
    assert data["score"] is None
    assert data["sentences"][0]["score"] is None


def test_a_lone_surrogate_survives_json_that_utf8_can_carry() -> None:
    encoded = make_report("before \ud83d after").to_json().encode("utf-8")
    assert json.loads(encoded)["text"] == "before \ud83d after"


def test_json_keeps_letters_readable_but_holds_nothing_a_terminal_obeys() -> None:
    shown = dumps({"text": "港口 \x1b[31m \x7f \x9b31m"})
    assert "港口" in shown
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)


def test_json_refuses_numbers_it_has_no_form_for() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dumps({"score": math.inf})


def test_every_json_result_carries_the_whole_signature() -> None:
    data = json.loads(make_report("Hi.").to_json())["signature"]
    assert set(data) == {f.name for f in dataclasses.fields(Signature)}
    assert data["features"] == ["damage", "casing.inside"]


def test_the_short_signature_names_what_was_switched_off() -> None:
    assert str(SIGNATURE).endswith("|without:names.drift")
    assert "without" not in str(dataclasses.replace(SIGNATURE, disabled_rules=()))


def test_reports_cannot_be_edited() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_report("Hi.").score = 0.1  # type: ignore[misc]


def test_kinds_are_those_of_the_design() -> None:
    assert len(KINDS) == len(set(KINDS)) == 11
