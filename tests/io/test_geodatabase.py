"""An Esri file geodatabase, which is a folder, named where a file or a folder of records is."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli


@pytest.fixture
def database(tmp_path):
    """Hazards, releases and a table of codes, as an export of a programme has them."""
    path = tmp_path / "sent" / "national.gdb"
    path.parent.mkdir()
    for layer, keys, columns in (
        ("Hazard_Areas", ["H-1", "H-2"], {"classification": ["CHA", "SHA"]}),
        ("Cleared_Areas", ["R-1"], {"product": ["cleared"], "date": pd.to_datetime(["2024-12-31"])}),
    ):
        shapes = [shapely.box(688000 + 200 * n, 4385000, 688100 + 200 * n, 4385100) for n in range(len(keys))]
        frame = gpd.GeoDataFrame({"imsma_id": keys, **columns}, geometry=shapes, crs="EPSG:32638")
        pyogrio.write_dataframe(frame, path, layer=layer, driver="OpenFileGDB", append=path.exists())
    codes = pd.DataFrame({"code": ["1", "2"], "meaning": ["CHA", "SHA"]})
    pyogrio.write_dataframe(codes, path, layer="lookup", driver="OpenFileGDB", append=True)
    return path


@pytest.mark.parametrize("whole_folder", [False, True])
def test_it_is_opened_by_its_own_name_or_in_its_folder(whole_folder, database):
    survey = gt.open_survey(database.parent if whole_folder else database)
    assert survey.hazards["id"].tolist() == ["H-1", "H-2"]
    assert survey.releases["id"].tolist() == ["R-1"]
    assert survey.releases["date"].dt.strftime("%Y-%m-%d").tolist() == ["2024-12-31"]
    assert survey.hazards.to_crs("EPSG:32638").area.round().tolist() == [10000.0, 10000.0]


def test_the_commands_take_it(database):
    for arguments in (["info"], ["check", "--fail-on", "never"], ["coverage"]):
        result = CliRunner().invoke(cli, [arguments[0], str(database), *arguments[1:]])
        assert result.exit_code == 0, result.output
