"""The ECG paper in a real browser: its calibration in pixels, its hand, its pictures."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import dashboard
from dashboard.components.ecg_paper import join_modules
from dashboard.components.ecg_paper.packing import encode_samples

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

COMPONENT = Path(dashboard.__file__).parent / "components" / "ecg_paper"
HOME = "http://paper.test/"
FS = 500
STANDARD = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
LOOKS = {
    "light": {"background-color": "#ffffff", "text-color": "#14171c", "primary-color": "#0a5fc4"},
    "dark": {"background-color": "#0c0f13", "text-color": "#eef2f0", "primary-color": "#3b8ee8"},
}
EDGES = {"border-color": "#8884", "base-radius": "8px", "font": "sans-serif"}
PAGE = """<!doctype html><meta charset="utf-8"><title>paper</title><body style="margin: 8px"><div id="host"></div>
<script type="module">
import paper, { PaperView } from "/paper.mjs";
const root = document.getElementById("host").attachShadow({ mode: "open" });
const [css, html] = await Promise.all(["/css", "/html"].map((path) => fetch(path).then((got) => got.text())));
root.innerHTML = `<style>${css}</style><div>${html}</div>`;
window.told = [];
window.show = (data) => paper({ data, parentElement: root, setStateValue: (name, value) => told.push([name, value]) });
const update = PaperView.prototype.update;
PaperView.prototype.update = function (data) { window.view = this; return update.call(this, data); };
window.dress = (look) => Object.entries(look).forEach(([k, v]) => host.style.setProperty(`--st-${k}`, v));
window.ready = true;
</script>"""
"""A page with the component in a shadow root, as Streamlit mounts it."""


def beat(t: float, height: float) -> float:
    """Return a beat's voltage (mV) at a time from its R peak."""
    bumps = ((-0.16, 0.025, 0.12), (-0.03, 0.008, -0.1), (0, 0.012, 1.0), (0.03, 0.01, -0.25), (0.28, 0.05, 0.3))
    return height * sum(part * math.exp(-0.5 * ((t - at) / wide) ** 2) for at, wide, part in bumps)


def ecg(seconds: float = 10, heights: Sequence[float] = (0.6, 1.1, 0.5, -0.8, 0.3, 0.8, -0.7, 0.4, 0.9, 1.4, 1.2, 0.9)):
    """Return twelve leads with a beat every 0.8 s from 0.4 s on."""
    one = [beat((i / FS) % 0.8 - 0.4, 1.0) for i in range(int(0.8 * FS))]
    n = int(seconds * FS)
    return [[height * one[i % len(one)] for i in range(n)] for height in heights]


def given(values: Sequence[Sequence[float | None]], leads: Sequence[str], **more: Any) -> dict[str, Any]:
    """Return what Python would send."""
    seconds = len(values[0]) / FS
    return {
        "record": "r1",
        "fs": FS,
        "start_s": 0,
        "leads": list(leads),
        "samples": encode_samples([list(row) for row in values]),
        "duration_s": seconds,
        "beats": [],
        "beat_offset": 0,
        "classes": [],
        "beat_leads": list(leads),
        "waves": {},
        "spikes": [],
        "reference": [],
        "quality": {},
        "heat": None,
        "overview": None,
        "layout": None,
        "speed": 25,
        "gain": 10,
        "hidden": [],
        "filter": "unfiltered",
        "note": "",
        "title": "case",
        "description": "ECG",
        "select": True,
    } | more


def marked(**more: Any) -> dict[str, Any]:
    """Return twelve leads with something of every kind marked."""
    times = [0.4 + 0.8 * k for k in range(12)]
    ends = {"p": (-0.22, -0.1), "qrs": (-0.05, 0.05), "t": (0.15, 0.4)}
    waves = [(kind, t + onset, t + end) for t in times for kind, (onset, end) in ends.items()]
    heat = {lead: [math.sin(i / 7 + k) ** 5 for i in range(100)] for k, lead in enumerate(STANDARD[:8])}
    return given(
        ecg(),
        STANDARD,
        beats=times,
        classes=["N"] * 5 + ["V"] + ["N"] * 3 + ["S"] + ["N"] * 2,
        waves=dict.fromkeys(STANDARD, waves),
        spikes=[2.7],
        reference=[t + 0.01 for t in times],
        quality={"V2": {"verdict": "poor", "reasons": ["noise"]}, "V5": {"verdict": "usable", "reasons": []}},
        heat={"start_s": 0, "step_s": 0.1, "leads": heat, "label": "infarct pattern"},
        **more,
    )


@pytest.fixture
def paper(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Open a bare page with the paper on it."""

    served = {
        "": (PAGE, "text/html"),
        "paper.mjs": (f"{join_modules()}\nexport {{ PaperView }};", "text/javascript"),
        "css": ((COMPONENT / "ecg_paper.css").read_text("utf-8"), "text/css"),
        "html": ((COMPONENT / "ecg_paper.html").read_text("utf-8"), "text/html"),
    }

    def serve(route: Route) -> None:
        body, kind = served.get(route.request.url.removeprefix(HOME), ("", "text/plain"))
        route.fulfill(body=body, content_type=f"{kind}; charset=utf-8")

    def opened(data: dict[str, Any], *, width: int = 1200, ratio: float = 1, theme: str = "light", **more: Any) -> Page:
        page = open_page(viewport={"width": width, "height": 900}, device_scale_factor=ratio, **more)
        page.route(f"{HOME}**", serve)
        page.goto(HOME)
        page.wait_for_function("window.ready")
        page.evaluate("look => dress(look)", LOOKS[theme] | EDGES)
        page.evaluate("data => show(data)", data)
        return page

    return opened


def picture_of(page: Page) -> np.ndarray:
    """Return what is seen of the paper, short of its foot: rows, columns, RGB; in device pixels."""
    box = page.locator(".drawing").bounding_box()
    assert box
    shot = page.screenshot(clip=box | {"height": page.evaluate("view.view.height")}, scale="device")
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(float)


def darkness(picture: np.ndarray) -> np.ndarray:
    """Return how much of each pixel is trace, 0 where there is but grid."""
    return np.clip(140 - picture.mean(axis=2), 0, None)


def middle(weights: np.ndarray) -> float:
    """Return where along a line its one dark place lies, in pixels."""
    assert weights.sum() > 0
    return float((weights * np.arange(len(weights))).sum() / weights.sum())


STEP = [0.0] * (FS * 2) + [1.0] * FS + [0.0] * (FS * 7)
"""1 mV for one second, two seconds from the start."""


def measure_step(dark: np.ndarray, px: float, speed: float, left: float) -> tuple[float, float]:
    """Return width and height of the step in device pixels; `px` and `left` only say where to look for it."""
    x = [round((15 + speed * s) * px - left) for s in (1.6, 2.5, 3.4)]
    wide = round(0.25 * speed * px)
    low, high = (middle(dark[:, at - wide : at + wide].sum(axis=1)) for at in (x[0], x[1]))
    rows = slice(round((low + high) / 2) - 2, round((low + high) / 2) + 3)
    band = dark[rows].sum(axis=0)
    rise = x[0] + middle(band[x[0] : x[1]])
    fall = x[1] + middle(band[x[1] : x[2]])
    return fall - rise, low - high


@pytest.mark.parametrize(
    ("width", "ratio", "clicks", "speed", "gain"),
    [
        (1200, 1, 0, 25, 10),
        (1200, 1, 2, 25, 10),
        (1200, 1, 5, 25, 10),
        (820, 1, 0, 25, 10),
        (820, 1.5, 1, 25, 10),
        (1033, 2, 0, 25, 10),
        (1033, 2, 3, 25, 10),
        (1200, 1, 1, 50, 20),
        (1200, 2, 2, 12.5, 5),
    ],
)
def test_one_second_and_one_millivolt_have_the_pixels_that_the_scale_says(paper, width, ratio, clicks, speed, gain):
    page = paper(given([STEP], ["II"], speed=speed, gain=gain), width=width, ratio=ratio)
    for _ in range(clicks):
        page.click("[data-act=in]")
    page.evaluate(f"view.frame.scrollLeft = {15 + 2.5 * speed} * view.view.pxPerMm - view.view.width / 2; view.draw()")
    css = float(page.locator(".drawing").get_attribute("data-px-per-mm"))
    px = css * ratio
    wide, high = measure_step(darkness(picture_of(page)), px, speed, page.evaluate("view.view.left") * ratio)
    assert wide == pytest.approx(speed * px, abs=0.5)
    assert high == pytest.approx(gain * px, abs=0.5)
    assert f"{css:.2f}".rstrip("0").rstrip(".") in page.locator(".scale").inner_text()


def test_true_size_is_what_the_reader_measured_of_the_screen(paper):
    page = paper(given([STEP], ["II"]))
    page.keyboard.press("Tab")
    page.locator(".frame").focus()
    page.keyboard.press("1")
    slider = page.get_by_label("Width of the outline")
    assert slider.is_visible()
    slider.fill("5.13")
    assert page.locator(".card").bounding_box()["width"] == pytest.approx(85.6 * 5.13, abs=0.5)
    page.click("text=Show in true size")
    assert page.locator(".scale").inner_text().endswith("100 % of true size")
    page.evaluate("view.frame.scrollLeft = 0; view.draw()")
    wide, high = measure_step(darkness(picture_of(page)), 5.13, 25, 0)
    assert wide == pytest.approx(25 * 5.13, abs=0.5)
    assert high == pytest.approx(10 * 5.13, abs=0.5)


def test_a_heavy_line_stands_each_five_millimetres_in_both_directions(paper):
    page = paper(given([[math.nan] * FS * 10], ["II"]), ratio=2)
    picture = picture_of(page)
    px = float(page.locator(".drawing").get_attribute("data-px-per-mm")) * 2
    redness = picture[..., 0] - picture[..., 1]
    height = round(30 * px)
    for profile in (redness[:height, -round(40 * px) :].mean(axis=0), redness[:height, -round(40 * px) :].mean(axis=1)):
        heavy = np.flatnonzero(profile > 0.75 * profile.max())
        ends = heavy[np.diff(heavy, append=len(profile)) > 1]
        assert len(ends) >= 5
        assert np.diff(ends) == pytest.approx(5 * px, abs=0.5)


def test_a_saved_picture_prints_true_millimetres(paper):
    page = paper(given([STEP], ["II"], title="100.hea"))
    with page.expect_download() as saving:
        page.click("text=Save")
        page.click("text=Picture (PNG)")
    assert saving.value.suggested_filename == "100.hea_0.0-10.0s.png"
    picture = Image.open(saving.value.path())
    per_mm = picture.info["dpi"][0] / 25.4
    assert per_mm == pytest.approx(12, abs=0.01)
    height = round(page.evaluate("view.view.height / view.view.pxPerMm") * per_mm)
    pixels = np.asarray(picture.convert("RGB")).astype(float)[:height]
    wide, high = measure_step(darkness(pixels), per_mm, 25, 0)
    assert wide / per_mm == pytest.approx(25, abs=0.1)
    assert high / per_mm == pytest.approx(10, abs=0.1)


def test_a_saved_drawing_has_its_size_its_labels_and_its_scale(paper):
    page = paper(marked())
    with page.expect_download() as saving:
        page.click("text=Save")
        page.click("text=Drawing (SVG)")
    text = Path(saving.value.path()).read_text("utf-8")
    width, px = page.evaluate("[view.view.width, view.view.pxPerMm]")
    assert f'width="{round(width / px, 3):g}mm"' in text
    for words in [*STANDARD, "25 mm/s  ·  10 mm/mV  ·  unfiltered", "5 mm = 200 ms = 0.5 mV", "for infarct pattern"]:
        assert f">{words}</text>" in text


def test_a_caliper_is_set_with_the_pointer_and_moved_with_the_keys(paper):
    page = paper(given(ecg(), STANDARD))
    page.click("[aria-label=Caliper]")
    x, y, px = on_paper(page, "II", 3, 1.0)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20 * px, y - 5 * px, steps=3)
    page.mouse.up()
    assert page.locator(".reading").inner_text() == "II · 800 ms · 75 bpm · 0.50 mV"
    page.locator(".frame").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowUp")
    assert page.locator(".reading").inner_text() == "II · 840 ms · 71 bpm · 0.51 mV"
    page.wait_for_function("told.length === 2")
    name, sent = page.evaluate("told.at(-1)")
    caliper = sent["caliper"]
    assert (name, caliper["lead"]) == ("selection", "II")
    assert caliper["to_s"] - caliper["from_s"] == pytest.approx(0.84)
    assert caliper["to_mv"] - caliper["from_mv"] == pytest.approx(0.51)
    page.mouse.move(x, y - 2 * px)
    page.mouse.down()
    page.mouse.move(x - 4 * px, y - 2 * px)
    page.mouse.up()
    assert page.evaluate("told.at(-1)[1].caliper.from_s") == pytest.approx(caliper["from_s"] - 0.16, abs=0.01)
    page.keyboard.press("Delete")
    assert page.evaluate("told.at(-1)[1].caliper") is None


def on_paper(page: Page, lead: str, row: int, s: float) -> tuple[float, float, float]:
    """Return where a strip's baseline shows a time, and the pixels a millimetre."""
    return page.evaluate(
        """([lead, row, s]) => {
          const { sheet, view, stage } = window.view;
          const strip = sheet.strips.find((one) => one.lead === lead && one.row === row);
          const box = stage.getBoundingClientRect();
          const x = strip.x + (s - strip.from) * sheet.speed;
          return [box.x + x * view.pxPerMm - view.left, box.y + strip.baseline * view.pxPerMm - view.top, view.pxPerMm];
        }""",
        [lead, row, s],
    )


def test_marching_out_marks_the_interval_along_the_row(paper):
    page = paper(given(ecg(), STANDARD))
    page.click("[aria-label=Caliper]")
    page.locator(".frame").focus()
    page.keyboard.press("Enter")
    before = picture_of(page)
    page.keyboard.press("m")
    changed = np.abs(picture_of(page) - before).sum(axis=2)
    px = float(page.locator(".drawing").get_attribute("data-px-per-mm"))
    for s in (0.4, 0.6, 5.0, 9.8):
        at = round((15 + 25 * s) * px)
        assert changed[:, at - 2 : at + 3].sum() > 1000, s
    assert changed[:, round((15 + 25 * 0.49) * px) : round((15 + 25 * 0.51) * px)].sum() == 0


def test_the_pointer_reads_lead_time_and_voltage(paper):
    page = paper(given([STEP], ["II"]))
    x, y, px = on_paper(page, "II", 0, 2.5)
    page.mouse.move(x, y - 9 * px)
    reading = page.locator(".reading").inner_text()
    assert reading.startswith("II · 2.5")
    assert reading.endswith(" s · 1.00 mV")


def test_a_click_chooses_lead_and_beat_and_a_drag_a_stretch(paper):
    page = paper(given(ecg(), STANDARD, beats=[0.4 + 0.8 * k for k in range(12)], beat_offset=40))
    x, y, px = on_paper(page, "V1", 0, 6.05)
    page.mouse.click(x, y)
    sent = page.evaluate("told.at(-1)[1]")
    assert (sent["lead"], sent["beat"], sent["window"]) == ("V1", 47, None)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 25 * px, y, steps=3)
    page.mouse.up()
    start, end = page.evaluate("told.at(-1)[1].window")
    assert (start, end - start) == (pytest.approx(6.05, abs=0.02), pytest.approx(1.0, abs=0.02))


def test_nothing_is_told_where_nobody_asked(paper):
    page = paper(given(ecg(), STANDARD, select=False))
    page.mouse.click(*on_paper(page, "I", 0, 1)[:2])
    assert "I" in page.locator(".reading").inner_text()
    assert page.evaluate("told") == []


def test_the_keys_read_beats_aloud_and_are_not_passed_on(paper):
    page = paper(given(ecg(), STANDARD, beats=[0.4 + 0.8 * k for k in range(12)], classes=["N", "V", *"N" * 10]))
    page.evaluate("document.addEventListener('keydown', ({ key }) => told.push(key))")
    page.locator(".frame").focus()
    page.keyboard.press(".")
    page.keyboard.press(".")
    assert page.locator(".spoken").text_content().startswith("beat 2 at 1.200 s, ventricular · I · 1.200 s · 0.60 mV")
    page.keyboard.press("ArrowDown")
    assert page.locator(".spoken").text_content().startswith("II · 1.200 s")
    for key in ("c", "r", "?"):
        page.keyboard.press(key)
    assert page.locator(".help table").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".help table").is_visible()
    assert page.evaluate("told") == []


def test_each_overlay_is_switched_on_the_paper(paper):
    page = paper(marked())
    page.click("text=Marks")
    for box in page.locator(".overlays input").all():
        before = picture_of(page)
        box.click()
        assert np.abs(picture_of(page) - before).sum() > 0, box.get_attribute("name")
    page.click("text=Marks")
    bare = picture_of(page)
    page.locator(".frame").focus()
    page.keyboard.press("a")
    assert np.abs(picture_of(page) - bare).sum() > 0


def test_a_long_record_is_turned_page_by_page(paper):
    long = given(ecg(), STANDARD, duration_s=60, overview=encode_samples([ecg(60)[1][::10]]))
    page = paper(long)
    slider = page.get_by_role("slider", name="Window of the record")
    assert slider.get_attribute("aria-valuetext") == "0:00 to 0:10 of 1:00"
    page.get_by_label("Later window").click()
    assert page.evaluate("told.pop()") == ["window", {"record": "r1", "start_s": 10, "length_s": 10}]
    assert page.locator(".frame").get_attribute("aria-busy") == "true"
    page.evaluate("data => show(data)", long | {"start_s": 10})
    assert page.locator(".frame").get_attribute("aria-busy") is None
    assert page.locator(".where").inner_text() == "0:10 to 0:20 of 1:00"
    page.locator(".frame").focus()
    page.keyboard.press("End")
    assert page.evaluate("told.pop()[1].start_s") == 50
    page.evaluate("data => show(data)", long | {"start_s": 50})
    assert page.get_by_label("Later window").is_disabled()
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 5)
    assert page.evaluate("told.pop()[1].start_s") == pytest.approx(25, abs=0.5)


def test_within_what_is_loaded_pages_are_turned_without_asking(paper):
    page = paper(given(ecg(30), STANDARD))
    page.get_by_label("Later window").click()
    assert page.locator(".where").inner_text() == "0:10 to 0:20 of 0:30"
    assert page.evaluate("told") == []


def test_what_the_reader_set_is_kept_when_the_same_record_comes_again(paper):
    page = paper(given(ecg(), STANDARD))
    page.click("[data-act=in]")
    page.get_by_label("Layout").select_option("6x2")
    zoom = page.locator(".zoomed").inner_text()
    page.evaluate("data => show(data)", given(ecg(), STANDARD, note="again"))
    assert page.locator(".zoomed").inner_text() == zoom
    assert page.get_by_label("Layout").input_value() == "6x2"


def test_the_paper_follows_the_theme(paper):
    page = paper(marked())
    assert picture_of(page)[3, 3].mean() > 200
    page.evaluate("look => dress(look)", LOOKS["dark"])
    page.wait_for_timeout(200)
    assert picture_of(page)[3, 3].mean() < 60


def test_the_drawing_is_told_in_words(paper):
    page = paper(marked(description="ECG, 12 leads"))
    assert page.get_by_role("application", name="ECG, 12 leads").count() == 1
    table = page.locator(".told table")
    assert table.locator("caption").text_content() == "ECG, 12 leads. Shown: 3x4+1, 25 mm/s, 10 mm/mV."
    assert table.locator("tbody tr").count() == 13
    assert "poor; noise" in table.text_content()
    assert "2.80, 3.60, 4.40 (ventricular)" in page.locator(".told p").text_content()


def test_nothing_moves_by_itself_where_motion_is_to_be_reduced(paper):
    page = paper(marked(), reduced_motion="reduce")
    moving = page.locator(".drawing").evaluate("canvas => getComputedStyle(canvas).transitionProperty")
    assert moving == "color"


@pytest.mark.parametrize("width", [400, 820, 1440])
def test_every_panel_opens_within_the_page(paper, width):
    page = paper(marked(), width=width)
    for menu in ("size", "overlays", "save", "help"):
        page.click(f".{menu} summary")
        box = page.locator(f".{menu} .panel").bounding_box()
        assert box["x"] >= 0, menu
        assert box["x"] + box["width"] <= width, menu
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_two_fingers_zoom_the_paper(paper):
    page = paper(given(ecg(), STANDARD), has_touch=True)
    before = page.evaluate("view.view.pxPerMm")
    page.evaluate(
        """() => {
          const touch = (id, x) => new Touch({ identifier: id, target: view.frame, clientX: x, clientY: 200 });
          const send = (type, a, b) => view.frame.dispatchEvent(
            new TouchEvent(type, { touches: [touch(1, a), touch(2, b)], cancelable: true, bubbles: true }));
          send("touchstart", 300, 400);
          send("touchmove", 250, 450);
        }"""
    )
    assert page.evaluate("view.view.pxPerMm") == pytest.approx(2 * before, rel=0.05)
