"""Which files a data set's name means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airpy.errors import AmbiguousDataset, FileUnavailable, PathRefused
from airpy.files.datasets import Dataset, dataset_at, find_dataset
from tests.files.conftest import put

if TYPE_CHECKING:
    from airpy.files.paths import FileRoot


def found(root: FileRoot, name: str, datasource_id: str = "ds") -> Dataset:
    """The data set that a plan's name means."""
    return find_dataset(root, datasource_id, name, "plan.dataset")


def names(root: FileRoot, dataset: Dataset) -> list[str]:
    """Its files, relative to the base path."""
    return [str(path.relative_to(root.real)) for path in dataset.files]


# (a) a path


@pytest.mark.parametrize(
    "name",
    [
        "energy/a.csv",
        "{base}/energy/a.csv",
        "file://{base}/energy/a.csv",
        "energy/*.csv",
        "energy/",
        "./energy",
    ],
)
def test_what_looks_like_a_path_is_one(root: FileRoot, name: str) -> None:
    put(root, "energy/a.csv")
    put(root, "ds/energy/a.csv")

    dataset = found(root, name.format(base=root.base))

    assert (names(root, dataset), dataset.format) == (["energy/a.csv"], "csv")


def test_a_file_name_with_its_extension_is_a_path_under_the_base(root: FileRoot) -> None:
    put(root, "a.csv")
    put(root, "ds/a.csv")
    put(root, "ds/b.csv")

    assert names(root, found(root, "a.csv")) == ["a.csv"]
    with pytest.raises(FileUnavailable) as missing:
        found(root, "b.csv")
    assert missing.value.reason == "FILE_MISSING"


def test_a_pattern_is_a_path_under_the_base(root: FileRoot) -> None:
    for name in ("a1.csv", "a2.csv", "ds/a3.csv"):
        put(root, name)

    assert names(root, found(root, "a?.csv")) == ["a1.csv", "a2.csv"]


def test_a_single_file_has_no_directory_and_so_no_partitions(root: FileRoot) -> None:
    put(root, "year=2025/a.csv")

    assert dataset_at(root, "year=2025/a.csv", "uri").directory is None
    assert dataset_at(root, "year=2025", "uri").directory == root.real / "year=2025"
    assert dataset_at(root, "year=*/a.csv", "uri").directory == root.real


def test_a_cloud_uri_is_handed_on_as_it_is(root: FileRoot) -> None:
    root = root._replace(cloud_prefixes=("s3://bucket/",))

    assert found(root, "s3://bucket/x/a.PARQUET") == Dataset(
        "a.PARQUET", "parquet", root, cloud="s3://bucket/x/a.PARQUET"
    )


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "http://x/a.csv", "..", "a\0", "a\\b"])
def test_names_get_no_further_than_paths(root: FileRoot, name: str) -> None:
    with pytest.raises(PathRefused):
        found(root, name)


# (b) a name


def test_a_name_is_looked_up_under_the_data_source_first(root: FileRoot) -> None:
    put(root, "energy/base.csv")
    put(root, "ds/energy/own.csv")

    assert names(root, found(root, "energy")) == ["ds/energy/own.csv"]
    assert names(root, found(root, "energy", "other")) == ["energy/base.csv"]


def test_a_name_is_a_file_without_its_extension(root: FileRoot) -> None:
    put(root, "sites.csv")
    put(root, "ds/meters.jsonl")

    assert names(root, found(root, "sites")) == ["sites.csv"]
    assert found(root, "meters").format == "jsonl"


def test_an_own_file_hides_a_directory_of_the_base(root: FileRoot) -> None:
    put(root, "energy/a.csv")
    put(root, "ds/energy.parquet")

    assert names(root, found(root, "energy")) == ["ds/energy.parquet"]


@pytest.mark.parametrize("name", ["v1.2", "sales.2025", "a b", "ä", "-x", "x_y"])
def test_names_may_have_dots_and_other_letters(root: FileRoot, name: str) -> None:
    put(root, f"{name}/a.csv")
    put(root, f"other/{name}.csv")

    assert names(root, found(root, name)) == [f"{name}/a.csv"]
    assert names(root, found(root, name, "other")) == [f"other/{name}.csv"]


def test_a_file_without_an_extension_is_no_meaning(root: FileRoot) -> None:
    put(root, "sites")
    put(root, "ds/sites")
    put(root, "sites.csv")

    assert names(root, found(root, "sites")) == ["sites.csv"]


def test_a_link_to_what_is_no_data_file_is_no_meaning(root: FileRoot) -> None:
    put(root, "notes.txt")
    (root.real / "notes.csv").symlink_to("notes.txt")

    with pytest.raises(FileUnavailable) as missing:
        found(root, "notes")
    assert missing.value.reason == "FILE_MISSING"


def test_a_name_with_two_meanings_is_refused_with_both(root: FileRoot) -> None:
    put(root, "energy.csv")
    put(root, "energy.parquet")
    put(root, "ds/sites/a.csv")
    put(root, "ds/sites.jsonl")

    with pytest.raises(
        AmbiguousDataset, match=r'"energy" could be energy\.csv or energy\.parquet'
    ) as two_files:
        found(root, "energy")
    with pytest.raises(AmbiguousDataset) as directory_and_file:
        found(root, "sites")

    assert two_files.value.suggestion == ["energy.csv", "energy.parquet"]
    assert (two_files.value.code, two_files.value.field) == ("VALIDATION_ERROR", "plan.dataset")
    assert directory_and_file.value.suggestion == ["ds/sites/", "ds/sites.jsonl"]
    for suggestion in [*two_files.value.suggestion, *directory_and_file.value.suggestion]:
        assert len(found(root, suggestion).files) == 1


# (c) a name and a format


def test_a_name_with_a_format_is_the_files_of_that_format(root: FileRoot) -> None:
    for name in ("energy/a.csv", "energy/2025/b.parquet", "energy/2024/c.parquet", "energy/d.jsonl"):
        put(root, name)

    dataset = found(root, "energy_parquet")

    assert names(root, dataset) == ["energy/2024/c.parquet", "energy/2025/b.parquet"]
    assert (dataset.name, dataset.format) == ("energy_parquet", "parquet")
    assert dataset.directory == root.real / "energy"
    assert names(root, found(root, "energy_csv")) == ["energy/a.csv"]


def test_a_format_chooses_between_two_files(root: FileRoot) -> None:
    put(root, "energy.csv")
    put(root, "energy.parquet")

    assert names(root, found(root, "energy_csv")) == ["energy.csv"]
    assert names(root, found(root, "energy_parquet")) == ["energy.parquet"]


def test_a_name_that_exists_as_it_is_wins_over_a_format(root: FileRoot) -> None:
    put(root, "energy/a.csv")
    put(root, "energy_csv/b.csv")

    assert names(root, found(root, "energy_csv")) == ["energy_csv/b.csv"]


def test_a_format_looks_under_the_data_source_first_too(root: FileRoot) -> None:
    put(root, "energy/base.csv")
    put(root, "ds/energy/own.csv")

    assert names(root, found(root, "energy_csv")) == ["ds/energy/own.csv"]


@pytest.mark.parametrize(
    "name", ["energy_xlsx", "_csv", "csv", "energy_", "energycsv", "energy-csv", "energy_CSV"]
)
def test_no_other_ending_is_a_format(root: FileRoot, name: str) -> None:
    put(root, "energy/a.csv")

    with pytest.raises(FileUnavailable) as missing:
        found(root, name)
    assert missing.value.reason == "FILE_MISSING"


def test_a_directory_without_files_of_the_format_says_so(root: FileRoot) -> None:
    put(root, "energy/a.csv")

    with pytest.raises(FileUnavailable, match='"energy_parquet" has no parquet files') as none:
        found(root, "energy_parquet")
    assert none.value.reason == "NO_DATA_FILES"


def test_a_file_of_another_format_is_not_meant(root: FileRoot) -> None:
    put(root, "energy.csv")

    with pytest.raises(FileUnavailable, match='did you mean "energy"') as missing:
        found(root, "energy_parquet")
    assert missing.value.reason == "FILE_MISSING"


# Nothing


def test_a_name_that_is_not_there_suggests_the_nearest(root: FileRoot) -> None:
    for name in (
        "energy/a.csv",
        "ds/enrgy.csv",
        "sites.csv",
        "readme.txt",
        "_energi/a.csv",
        ".energie/a.csv",
    ):
        put(root, name)

    with pytest.raises(FileUnavailable, match='there is no data set "enerfy"') as missing:
        found(root, "enerfy")
    with pytest.raises(FileUnavailable) as far:
        found(root, "zzz")

    assert missing.value.suggestion == ["energy", "enrgy"]
    assert (missing.value.code, missing.value.reason) == ("IO_ERROR", "FILE_MISSING")
    assert far.value.suggestion == []


def test_a_misspelt_name_with_a_format_is_compared_without_it(root: FileRoot) -> None:
    put(root, "energy/a.csv")

    with pytest.raises(FileUnavailable) as missing:
        found(root, "enregy_csv")
    assert missing.value.suggestion == ["energy"]


# Directories


def test_hidden_names_and_those_with_an_underscore_are_left_out(root: FileRoot) -> None:
    visible = ["ds/a.csv", "ds/b/c.csv"]
    for name in [*visible, "ds/.a.csv", "ds/_a.csv", "ds/_delta_log/0.csv", "ds/.tmp/0.csv", "ds/a.csv.crc"]:
        put(root, name)

    assert names(root, dataset_at(root, "ds", "uri")) == visible
    assert names(root, dataset_at(root, "ds/**/*.csv", "uri")) == visible


def test_a_directory_without_data_files_says_so(root: FileRoot) -> None:
    put(root, "ds/notes.txt")

    with pytest.raises(FileUnavailable, match='"ds" has no data files') as none:
        dataset_at(root, "ds", "uri")
    assert none.value.reason == "NO_DATA_FILES"


def test_a_named_directory_of_two_formats_suggests_the_name_with_each(root: FileRoot) -> None:
    put(root, "ds/energy/a.csv")
    put(root, "ds/energy/b.parquet")

    with pytest.raises(AmbiguousDataset, match="holds files of different formats: csv, parquet") as mixed:
        found(root, "energy")

    assert mixed.value.suggestion == ["energy_csv", "energy_parquet"]
    assert [names(root, found(root, name)) for name in mixed.value.suggestion] == [
        ["ds/energy/a.csv"],
        ["ds/energy/b.parquet"],
    ]


@pytest.mark.parametrize("requested", ["energy", "energy/*", "energy/**", "{base}/energy"])
def test_a_path_to_two_formats_suggests_a_pattern_for_each(root: FileRoot, requested: str) -> None:
    put(root, "energy/a.csv")
    put(root, "energy/b.parquet")

    with pytest.raises(AmbiguousDataset) as mixed:
        dataset_at(root, requested.format(base=root.base), "uri")

    assert mixed.value.suggestion == [f"{root.base}/energy/**/*.csv", f"{root.base}/energy/**/*.parquet"]
    assert [names(root, dataset_at(root, pattern, "uri")) for pattern in mixed.value.suggestion] == [
        ["energy/a.csv"],
        ["energy/b.parquet"],
    ]


def test_capitals_in_an_extension_name_the_same_format(root: FileRoot) -> None:
    put(root, "ds/a.CSV")
    put(root, "ds/b.csv")

    assert dataset_at(root, "ds", "uri").format == "csv"


def test_an_extension_that_is_not_allowed_here_is_no_data(root: FileRoot) -> None:
    put(root, "ds/a.csv")
    put(root, "ds/b.parquet")
    root = root._replace(extensions=(".csv",))

    assert names(root, dataset_at(root, "ds", "uri")) == ["ds/a.csv"]
    with pytest.raises(FileUnavailable):
        found(root, "b", "ds")


def test_a_file_is_read_once_however_many_links_lead_to_it(root: FileRoot) -> None:
    put(root, "ds/a.csv")
    (root.real / "ds" / "b.csv").symlink_to("a.csv")
    (root.real / "ds" / "again").symlink_to(".")

    assert names(root, dataset_at(root, "ds", "uri")) == ["ds/a.csv"]


def test_the_base_path_is_a_data_set_too(root: FileRoot) -> None:
    put(root, "a.csv")

    assert dataset_at(root, ".", "uri") == Dataset("base", "csv", root, (root.real / "a.csv",), root.real)
