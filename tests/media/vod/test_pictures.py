"""Posters and storyboards of real sources."""

import re
from pathlib import Path

import av
import pytest

from infra.settings import VodSettings
from media.vod.pictures import cues_of, make_poster, make_storyboard, sheets_of
from media.vod.plan import Probed
from media.vod.probe import probe
from tests.media.publisher import ffmpeg
from tests.media.vod.sources import draw
from tests.media.vod.test_ladder import source


def look(file: Path) -> tuple[int, int, int]:
    """Width, height, and how light the middle is."""
    with av.open(str(file)) as container:
        frame = next(container.decode(video=0)).reformat(format="gray")
        plane = frame.planes[0]
        return frame.width, frame.height, memoryview(plane)[frame.height // 2 * plane.line_size + frame.width // 2]


async def examined(file: Path) -> Probed:
    return await probe(file, file.parent, settings=VodSettings())


async def test_a_poster_is_not_black_though_the_beginning_is(tmp_path: Path) -> None:
    file = await draw(
        tmp_path / "a.mp4", "-g", "25", picture=r"geq=lum='if(lt(T\,2)\,16\,180)':cb=128:cr=128", size="320x180"
    )
    poster = await make_poster(file, await examined(file), tmp_path, ffmpeg=ffmpeg())
    width, height, light = look(poster)
    assert (width, height) == (320, 180)
    assert light > 120


async def test_a_poster_is_at_most_1280_wide(tmp_path: Path) -> None:
    file = await draw(tmp_path / "a.mp4", seconds=0.2, size="1920x1080", picture="null")
    assert look(await make_poster(file, await examined(file), tmp_path, ffmpeg=ffmpeg()))[:2] == (1280, 720)


@pytest.mark.parametrize(
    "arguments", [("a.mkv", "-output_ts_offset", "7.3"), ("a.ts",), ("a.mp4", "-vf", "setsar=2")], ids=lambda a: a[0]
)
async def test_any_source_gives_a_poster_and_tiles_in_its_shape(arguments: tuple[str, ...], tmp_path: Path) -> None:
    file = await draw(tmp_path / arguments[0], *arguments[1:], seconds=3, size="64x36")
    probed = await examined(file)
    width, height, _ = look(await make_poster(file, probed, tmp_path, ffmpeg=ffmpeg()))
    assert width / height == pytest.approx(probed.video.width / probed.video.height, rel=0.05)
    sheet, cues = await make_storyboard(file, probed, tmp_path, ffmpeg=ffmpeg())
    tiles = sheets_of(probed)
    assert look(sheet)[:2] == (tiles.width * 10, tiles.height)
    assert len(re.findall("xywh", cues.read_text())) == tiles.tiles


async def test_each_tile_shows_its_moment(tmp_path: Path) -> None:
    """A second of each grey; key frames every second."""
    file = await draw(
        tmp_path / "a.mp4", "-g", "25", "-bf", "0", seconds=12, picture="geq=lum='40+15*floor(T)':cb=128:cr=128"
    )
    sheet, cues = await make_storyboard(file, await examined(file), tmp_path, ffmpeg=ffmpeg())
    with av.open(str(sheet)) as container:
        frame = next(container.decode(video=0)).reformat(format="gray")
    plane, light = frame.planes[0], []
    for x, y in re.findall(r"xywh=(\d+),(\d+)", cues.read_text()):
        light.append(memoryview(plane)[(int(y) + 45) * plane.line_size + int(x) + 80])
    assert len(light) == 12
    assert light == sorted(light)
    assert len(set(light)) >= 11


@pytest.mark.parametrize("duration", [0.1, 1.0, 59.9, 300.0, 301.0, 43_200.0])
def test_there_are_at_most_three_hundred_tiles_and_cues_cover_the_video(duration: float) -> None:
    probed = source(duration=duration)
    sheets = sheets_of(probed)
    cues = cues_of(sheets, duration)
    times = re.findall(r"(\S+) --> (\S+)", cues)
    assert 1 <= len(times) == sheets.tiles <= 300
    assert [end for _, end in times[:-1]] == [start for start, _ in times[1:]]
    assert times[0][0] == "00:00:00.000"
    places = re.findall(r"storyboard-(\d+)\.jpg#xywh=(\d+),(\d+),(\d+),(\d+)", cues)
    assert len(set(places)) == sheets.tiles
    assert max(int(sheet) for sheet, *_ in places) == sheets.count - 1
