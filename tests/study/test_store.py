from __future__ import annotations

import pytest

from glottis._errors import StorageError
from glottis.study.counter import count_analysis
from glottis.study.store import ResultCache, content_key, open_run, read_json, write_json


def test_a_result_comes_back_to_the_last_bit(tmp_path):
    cache = ResultCache(tmp_path)
    cache.put(content_key("a"), {"x": [0.1 + 0.2, 1e-300]})
    assert cache.get(content_key("a")) == {"x": [0.1 + 0.2, 1e-300]}


def test_a_truncated_entry_counts_as_absent(tmp_path):
    cache = ResultCache(tmp_path)
    cache.put("ab12", {"x": 1})
    path = cache.path("ab12")
    path.write_text(path.read_text()[:-5])
    assert cache.get("ab12") is None


def test_an_entry_under_a_foreign_name_counts_as_absent(tmp_path):
    cache = ResultCache(tmp_path)
    cache.put("ab12", {"x": 1})
    cache.path("ab12").rename(cache.path("ab34"))
    assert cache.get("ab34") is None


def test_parts_of_a_key_cannot_run_into_each_other():
    assert content_key("ab", "c") != content_key("a", "bc")


def test_a_run_folder_serves_one_study(tmp_path):
    with open_run(tmp_path / "run", digest="one", title="First"):
        write_json(tmp_path / "run" / "split.json", {})
    with (
        pytest.raises(StorageError, match=r"belongs to another study \('First'"),
        open_run(tmp_path / "run", digest="two", title="Second"),
    ):
        pass


def test_a_run_folder_whose_study_never_got_past_its_check_is_free(tmp_path):
    for digest in ("with a missing file", "with the file"):
        with open_run(tmp_path / "run", digest=digest, title="Study"):
            write_json(tmp_path / "run" / "checks.json", [])
    assert read_json(tmp_path / "run" / "identity.json")["study"] == "with the file"


def test_a_folder_with_other_files_is_not_taken_as_a_run(tmp_path):
    (tmp_path / "thesis.docx").write_text("dear reader")
    with pytest.raises(StorageError, match="not empty"), open_run(tmp_path, digest="one", title="First"):
        pass


def test_a_run_folder_in_use_is_refused(tmp_path):
    with (
        open_run(tmp_path / "run", digest="one", title="First"),
        pytest.raises(StorageError, match="Another glottis works"),
        open_run(tmp_path / "run", digest="one", title="First"),
    ):
        pass


def test_each_study_counts_once_for_a_test_set(tmp_path):
    counts = [count_analysis(tmp_path, test_set="t", study=name) for name in ("a", "a", "b")]
    assert counts == [1, 1, 2]
    assert count_analysis(tmp_path, test_set="other", study="a") == 1
