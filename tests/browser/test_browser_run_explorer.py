"""The explorer of measured runs in a real browser: what is drawn is what was measured."""

import json
import math
import re
from statistics import median

import numpy as np
import pytest
from figure_page import contrast, drag_slider, frames, go_to, luminance, slider
from playwright.sync_api import expect
from test_run_explorer import SIGNS, by_cell, made_up, random_results, unpack

from cnnlesson.widgets import RunExplorer
from cnnlesson.widgets.shared.measured import measured_values

RESULTS = random_results(5)
CELLS = by_cell(RESULTS)
START = {
    "lr": 0.01,
    "momentum": 0.5,
    "batch_size": 32,
    "pixels": "standardized",
    "order": "shuffled",
}
SLIDERS = ("lr", "momentum", "batch_size")


def explorer(**settings):
    return RunExplorer(RESULTS, **(START | settings))


FIGURE = explorer
FIGURE_PAGES = {"alone": [lambda: RunExplorer([made_up(lr=0.01)], lines="both")]}


def shown(page):
    """Return the settings, as Python reads them off the controls."""
    texts = {name: slider(page, name).get_attribute("aria-valuetext") for name in SLIDERS}
    values = {name: float(text) for name, text in texts.items()}
    values["batch_size"] = int(values["batch_size"])
    for name in ("pixels", "order"):
        values[name] = page.locator(f"select[name={name}]").input_value()
    lines = [page.locator(f"input[name=line-{k}]").is_checked() for k in (0, 1)]
    values["lines"] = ["none", "effective", "quadratic", "both"][lines[0] + 2 * lines[1]]
    return values


def box_of(element):
    return [float(element.get_attribute(name)) for name in ("x", "y", "width", "height")]


def numbers(text):
    assert "NaN" not in text
    assert "Infinity" not in text
    return np.array(re.findall(r"-?[\d.]+", text), dtype=float)


def shade(accuracy):
    """Return where an accuracy lies on the scale of colours, from 0 to 1."""
    return min(math.log(1 / max(1 - accuracy, 0.01), 100), 1)


def middles(d, sign):
    """Return the middles of the crosses or rings of a path."""
    start = re.compile(
        r"M(-?[\d.]+),(-?[\d.]+)" + {"×": r"l8,8m0,-8l-8,8", "○": r"a4,4 0 1 0 8,0a4"}[sign]
    )
    down = 4 if sign == "×" else 0
    return [(float(x) + 4, float(y) + down) for x, y in start.findall(d)]


def check_map(page, figure, own):
    """Compare cells, signs, the chosen cell, the scale's marks and both lines."""
    svg = page.locator(".plot").first
    inside = svg.locator(".inside")
    left, top, width, height = box_of(inside)
    cell, row = width / len(own["lr"]), height / len(own["momentum"])
    assert row == 28

    def centre(lr, momentum):
        i, j = own["lr"].index(lr), own["momentum"].index(momentum)
        return left + (i + 0.5) * cell, top + height - (j + 0.5) * row

    rects = inside.locator("rect[style]").evaluate_all(
        "(all) => all.map((e) => [...['x', 'y', 'width', 'height', 'style']"
        ".map((name) => e.getAttribute(name))])"
    )
    found = {}
    for *box, style in rects:
        x, y, w, h = map(float, box)
        assert (w, h) == (pytest.approx(cell - 1), row - 1)
        found[
            round((x + w / 2 - left) / cell - 0.5, 6),
            round((top + height - y - h / 2) / row - 0.5, 6),
        ] = style
    expected, crosses, rings = {}, set(), set()
    for (lr, momentum, *rest), runs in CELLS.items():
        if rest != [figure.batch_size, figure.pixels, figure.order]:
            continue
        place = own["lr"].index(lr), own["momentum"].index(momentum)
        ranks = [-math.inf if r.status == "diverged" else r.test_accuracy for r in runs]
        part = 100 * shade(median(ranks)) if math.isfinite(median(ranks)) else None
        expected[place] = (
            "fill: var(--bad)"
            if part is None
            else f"fill: color-mix(in oklab, var(--fast) {part:.1f}%, var(--low))"
        )
        statuses = {result.status for result in runs}
        shift = 5 * ({"diverged", "dead"} <= statuses)
        x, y = centre(lr, momentum)
        if "diverged" in statuses:
            crosses.add((round(x - shift, 3), round(y, 3)))
        if "dead" in statuses:
            rings.add((round(x + shift, 3), round(y, 3)))
    assert found.keys() == expected.keys()
    for place, style in found.items():  # to a tenth of a percent: a half may round either way
        assert list(numbers(style)) == pytest.approx(numbers(expected[place]), abs=0.101)
        assert ("bad" in style) == ("bad" in expected[place])
    for signs in inside.locator("> path").all()[-2:]:
        d = signs.get_attribute("d")
        assert {(round(x, 3), round(y, 3)) for x, y in middles(d, "×")} == crosses
        assert {(round(x, 3), round(y, 3)) for x, y in middles(d, "○")} == rings

    edge = page.locator(".run-cursor .edge")
    if figure.lr in own["lr"] and figure.momentum in own["momentum"]:
        x, y, w, h = box_of(edge)
        assert (x + w / 2, y + h / 2) == pytest.approx(centre(figure.lr, figure.momentum))
        assert edge.get_attribute("visibility") == "visible"
    else:
        assert edge.get_attribute("visibility") == "hidden"

    ticks, marker = (
        svg.locator(f"> path.{name}").get_attribute("d") for name in ("edge", "marker")
    )
    reached = sorted(r.test_accuracy for r in figure.runs if r.status != "diverged")
    at = numbers(ticks).reshape(-1, 3)[:, 0]
    np.testing.assert_allclose(at, [left + width * shade(a) for a in reached], atol=0.0051)
    if math.isfinite(figure.median_accuracy):
        assert numbers(marker)[0] == pytest.approx(
            left + width * shade(figure.median_accuracy), abs=0.0051
        )
    else:
        assert marker == ""

    logs, where = np.log(own["lr"]), np.arange(len(own["lr"]))
    for k, (name, sign) in enumerate((("effective", -1), ("quadratic", 1))):
        d = inside.locator("> path").nth(2 * k + 1).get_attribute("d")
        assert d == inside.locator("> path").nth(2 * k).get_attribute("d")
        if figure.lines not in (name, "both"):
            assert d == ""
            continue
        points = numbers(d).reshape(-1, 2)
        factors = 1 + sign * np.array(own["momentum"])
        rates = np.log(figure.lr * factors / (1 + sign * figure.momentum))
        seen = (logs[0] <= rates) & (rates <= logs[-1])
        assert seen.any()
        x = left + (np.interp(rates, logs, where) + 0.5) * cell
        y = top + height - (np.arange(len(factors)) + 0.5) * row
        np.testing.assert_allclose(points[seen], np.column_stack([x, y])[seen], atol=0.0051)
        assert (points[rates < logs[0], 0] < left + cell / 2).all()
        assert (points[rates > logs[-1], 0] > left + width - cell / 2).all()


def check_curves(page, figure):
    """Compare every seed's curve, and the sign at its end, with the unpacked table."""
    svg = page.locator(".plot").nth(1)
    left, top, width, height = box_of(svg.locator(".inside"))
    table = figure.data()["runs"]
    cell = tuple(list(figure.settings.values())[:5])
    runs = unpack(table).get(cell, [])
    steps = table["steps"][table["batch_size"].index(figure.batch_size)]
    span = math.log(table["high"] / table["low"])

    def place(step, loss):
        return left + width * step / steps, top + height * (
            1 - math.log(loss / table["low"]) / span
        )

    kinds = {"completed": "path momentum", "dead": "path plain", "diverged": "path run-diverged"}
    for status, name in kinds.items():
        d = svg.locator(f".inside [class='{name}']").get_attribute("d")
        drawn = [numbers(part).reshape(-1, 2) for part in d.split("M")[1:]]
        expected = [curve for found, _, curve in runs if found == status and curve]
        assert len(drawn) == len(expected)
        for points, curve in zip(drawn, expected, strict=True):
            np.testing.assert_allclose(points, [place(*point) for point in curve], atol=0.0051)
    d = svg.locator("> path.edge").get_attribute("d")
    for sign, status in (("×", "diverged"), ("○", "dead")):
        ends = [
            place(*(curve[-1] if curve else (0, table["high"])))
            for found, _, curve in runs
            if found == status
        ]
        assert len(ends) == len(middles(d, sign))
        np.testing.assert_allclose(
            np.reshape(middles(d, sign), (-1, 2)), np.reshape(ends, (-1, 2)), atol=1e-6
        )
    guess = numbers(svg.locator(".rest").get_attribute("d"))
    assert guess[1] == guess[3] == pytest.approx(place(0, math.log(10))[1], abs=0.0051)


def check_words(page, figure, own):
    texts = page.locator(".readouts p").first
    title = texts.locator("b")
    number = len(figure.runs)
    count = {s: sum(r.status == s for r in figure.runs) for s in SIGNS.values()}
    plural = "seed" if number == 1 else "seeds"
    if number == 0:
        expect(title).to_have_text("Not measured")
        cells = [c for c in CELLS if c[2:] == tuple(figure.settings.values())[2:5]]
        of = len(own["lr"]) * len(own["momentum"])
        expect(texts).to_contain_text(f"{len(cells)} of this map’s {of} cells were measured.")
    elif 2 * count["diverged"] >= number:
        expect(title).to_have_text("Diverged")
    elif 2 * count["dead"] > number:
        expect(title).to_have_text("Dead")
    else:
        expect(title).to_have_text(f"Median test accuracy {figure.median_accuracy + 1e-12:.3f}")
    for status in ("diverged", "dead"):
        words = f"{count[status]} of {number} {plural} {status}"
        if count[status]:
            expect(texts).to_contain_text(words)
        else:
            expect(texts).not_to_contain_text(f"{plural} {status}")
    reached = [r.test_accuracy for r in figure.runs if r.status != "diverged"]
    if reached:
        expect(texts).to_contain_text(f"accuracy {min(reached):.3f}")
        expect(texts).to_contain_text(f"{max(reached):.3f}.")
    effective = figure.lr / (1 - figure.momentum)
    [said] = re.findall(r"α/\(1−μ\) = ([\d.e-]+)\.", texts.inner_text())
    assert float(said) == pytest.approx(effective, rel=5e-3)
    assert bool(title.get_attribute("class")) == (title.inner_text() in ("Diverged", "Dead"))


def check_drawn(page, **settings):
    """Compare everything that is drawn and said with these settings' runs."""
    frames(page)
    figure = explorer(**settings)
    own = measured_values((cell for cell in CELLS if cell[3] == figure.pixels), tuple(START))
    check_map(page, figure, own)
    check_curves(page, figure)
    check_words(page, figure, own)
    assert shown(page) == figure.settings


def check_followed(page, before, **chosen):
    """Check that what the reader chose stays, and the rest went no farther than it had to."""
    frames(page)
    now = shown(page)
    lines = now.pop("lines")
    wanted = before | chosen
    [(name, value)] = chosen.items()
    pixels = wanted["pixels"]
    own = measured_values((cell for cell in CELLS if cell[3] == pixels), tuple(START))

    def place(name, value):
        return min(range(len(own[name])), key=lambda i: abs(own[name][i] - value))

    def far(cell):
        found = dict(zip(START, cell, strict=True))
        steps = sum(abs(place(n, found[n]) - place(n, wanted[n])) for n in SLIDERS)
        return steps + 99 * (found["order"] != wanted["order"])

    allowed = [
        cell
        for cell in CELLS
        if cell[3] == pixels
        and (name == "pixels" or dict(zip(START, cell, strict=True))[name] == value)
    ]
    assert tuple(now.values()) in allowed
    assert far(now.values()) == min(map(far, allowed))
    check_drawn(page, **now, lines=lines)
    return now


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_every_control_by_mouse_and_by_keyboard(open_figure, width, theme):
    page = open_figure(width, theme)
    check_drawn(page)
    now = dict(START)
    for name, to in (("lr", 1.0), ("momentum", 0.0), ("batch_size", 8)):
        values = measured_values((c for c in CELLS if c[3] == "standardized"), tuple(START))[name]
        drag_slider(page, name, values.index(to) / (len(values) - 1))
        now = check_followed(page, now, **{name: to})
        slider(page, name).press("ArrowRight" if to == values[0] else "ArrowLeft")
        now = check_followed(page, now, **{name: values[1] if to == values[0] else values[-2]})
    for k, lines in ((0, "effective"), (1, "both")):
        page.locator(f"label:has([name=line-{k}])").click()
        check_drawn(page, **now, lines=lines)
    page.locator("[name=line-0]").press(" ")
    check_drawn(page, **now, lines="quadratic")
    page.locator("select[name=order]").select_option("sorted")
    check_followed(page, now, order="sorted")
    page.get_by_role("button", name="Reset").click()
    check_drawn(page)


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_the_map_by_mouse_and_by_keyboard(open_figure, width, theme):
    page = open_figure(width, theme)
    cursor = page.locator(".run-cursor")
    cursor.scroll_into_view_if_needed()
    box = page.locator(".run-cursor .hit").bounding_box()
    rates, momenta = [0.001, 0.01, 0.02, 0.1, 1.0], [0.0, 0.5, 0.9, 0.99]
    for i, j in ((0, 0), (4, 3), (3, 1), (1, 2)):
        x = box["x"] + (i + 0.7) * box["width"] / 5
        y = box["y"] + box["height"] - (j + 0.3) * 28
        page.mouse.click(x, y)
        check_drawn(page, lr=rates[i], momentum=momenta[j])
        expect(cursor).to_be_focused()
    for key, step in (
        ("ArrowRight", (1, 0)),
        ("ArrowUp", (0, 1)),
        ("ArrowUp", (0, 0)),  # there is no more
        ("ArrowLeft", (-1, 0)),
        ("ArrowDown", (0, -1)),
    ):
        cursor.press(key)
        i, j = i + step[0], j + step[1]
        check_drawn(page, lr=rates[i], momentum=momenta[j])
    words = cursor.get_attribute("aria-valuetext")
    title = page.locator(".readouts b").inner_text()
    assert words == f"α = {rates[i]}, μ = {momenta[j]}: {title}"
    assert cursor.get_attribute("aria-valuenow") == str(5 * j + i + 1)
    assert cursor.get_attribute("aria-valuemax") == "20"
    expect(page.get_by_role("status").first).to_contain_text(title)


def test_a_finger_taps(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True)
    box = page.locator(".run-cursor .hit").bounding_box()
    page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + 5)
    check_drawn(page, lr=1.0, momentum=0.99)


def test_another_scale_of_pixels_has_its_own_axes(open_figure):
    page = open_figure(tail="?run_explorer.lr=0.1&run_explorer.batch_size=8")
    now = START | {"lr": 0.1, "batch_size": 8}
    page.locator("select[name=pixels]").select_option("raw")
    now = check_followed(page, now, pixels="raw")
    assert now["lr"] == 0.01
    slider(page, "lr").press("ArrowLeft")
    now = check_followed(page, now, lr=1e-5)
    page.locator("select[name=pixels]").select_option("standardized")
    assert check_followed(page, now, pixels="standardized")["lr"] == 0.001


def test_no_slider_leads_to_what_nobody_measured(open_figure):
    page = open_figure()
    now, moved = dict(START), set()
    expect(page.get_by_text("go to the nearest that was measured")).to_be_visible()
    for name in (*SLIDERS, "momentum", "lr"):
        values = measured_values((c for c in CELLS if c[3] == "standardized"), tuple(START))[name]
        for place, value in enumerate(values):
            slider(page, name).fill(str(place))
            after = check_followed(page, now, **{name: value})
            moved |= {other for other in after if other != name and after[other] != now[other]}
            now = after
    assert moved  # there are gaps to go round


def test_a_place_off_the_map_is_not_measured(open_figure):
    page = open_figure(tail="?run_explorer.pixels=raw&run_explorer.lr=1")
    check_drawn(page, pixels="raw", lr=1.0)
    expect(page.locator(".readouts b")).to_have_text("Not measured")
    page.locator(".run-cursor").press("ArrowUp")
    check_drawn(page, pixels="raw", lr=0.01, momentum=0.9)


def test_every_cell_of_every_map(open_figure):
    page = open_figure()
    seen = set()
    for cell in sorted(CELLS)[::12]:
        settings = dict(zip(START, cell, strict=True))
        go_to(page, settings, "run_explorer")
        check_drawn(page, **settings)
        seen.add(page.locator(".readouts b").inner_text()[:6])
    assert {"Diverg", "Median"} <= seen


def test_the_address_holds_the_settings(open_figure):
    page = open_figure()
    page.locator(".run-cursor").press("ArrowRight")
    page.locator("[name=line-1]").check()
    page.locator("select[name=order]").select_option("sorted")
    page.wait_for_function("() => location.search.includes('sorted')")
    assert page.url.endswith(
        "?run_explorer.lr=0.02&run_explorer.order=sorted&run_explorer.lines=quadratic"
    )
    again = open_figure(tail=page.url.split("index.html")[1])
    check_drawn(again, lr=0.02, lines="quadratic", order="sorted")
    wild = open_figure(tail="?run_explorer.lr=x&run_explorer.order=upside&run_explorer.momentum=9")
    check_drawn(wild, momentum=0.99)


def test_a_batch_size_that_was_not_measured_is_said_so(open_figure):
    page = open_figure(tail="?run_explorer.batch_size=33")
    expect(page.locator(".readouts b")).to_have_text("Not measured")
    assert "NaN" not in page.locator(".is-live").inner_html()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_scale_is_even_in_lightness_and_signs_stand_out(open_figure, theme):
    page = open_figure(theme=theme)

    def all_of(locator, style):
        return [luminance(element, style) for element in locator.all()]

    svg = page.locator(".plot").first
    scale = np.array(all_of(svg.locator("path[style]"), "fill"))[::-1]
    lightness = np.cbrt(scale)  # CIELAB's, but for its scale and offset
    steps = np.diff(lightness) * (-1 if theme == "light" else 1)
    assert (steps > 0).all()
    assert steps.max() < 2 * np.median(steps)
    cells = all_of(svg.locator("rect[style]"), "fill")
    [edge] = all_of(svg.locator(".run-cursor .edge"), "stroke")
    [paper] = all_of(svg.locator(".run-cursor .halo"), "stroke")
    [diverged] = all_of(page.locator(".inside .run-diverged"), "stroke")

    for ground in [*scale, *cells]:  # a sign with its halo differs from every colour of the map
        assert max(contrast(edge, ground), contrast(paper, ground)) >= 3
    assert contrast(scale[0], paper) > 1.1  # the worst is not blank
    assert contrast(diverged, paper) >= 3


def test_one_run_alone_has_no_sliders(book, open_page):
    visit = open_page(f"{book.as_uri()}/alone.html")
    expect(visit.page.locator(".readouts b")).to_have_text("Median test accuracy 0.900")
    assert visit.page.locator("input[type=range]:visible, select:visible").count() == 0
    paths = visit.page.locator("path").evaluate_all("(all) => all.map((e) => e.getAttribute('d'))")
    assert not re.search("NaN|Infinity|undefined", "".join(filter(None, paths)))
    assert visit.errors == []


def test_javascript_unpacks_and_computes_what_python_does(open_page):
    page = open_page("about:blank").page
    figures = [
        RunExplorer(random_results(seed, num_test_images=images, num_images=size), **START | change)
        for seed, (images, size) in enumerate([(500, 320), (4096, 6000), (18_000, 100)])
        for change in (
            {},
            {"pixels": "raw", "order": "sorted"},
            {"lr": 1.0, "momentum": 0.99, "batch_size": 8},
        )
    ]
    states = [{**figure.data(), **figure.settings} for figure in figures]
    results = page.evaluate(
        """async ([source, states]) => {
            const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            const { compute } = await import(address);
            return JSON.stringify(states.map(compute));
        }""",
        [figures[0]._esm, states],
    )
    for figure, result in zip(figures, json.loads(results), strict=True):
        expected = unpack(figure.data()["runs"])
        rest = tuple(list(figure.settings.values())[2:5])
        cells = {(c["lr"], c["momentum"]): c for c in result["cells"]}
        assert cells.keys() == {cell[:2] for cell in expected if cell[2:] == rest}
        for (lr, momentum), cell in cells.items():
            for run, (status, accuracy, curve) in zip(
                cell["runs"], expected[lr, momentum, *rest], strict=True
            ):
                assert (run["status"], run["accuracy"]) == (status, accuracy)
                np.testing.assert_allclose(
                    np.reshape(run["curve"], (-1, 2)), np.reshape(curve, (-1, 2)), rtol=1e-9
                )
            figure.lr, figure.momentum = lr, momentum
            middle = math.nan if cell["median"] is None else cell["median"]
            np.testing.assert_allclose(middle, figure.median_accuracy, rtol=1e-9)
            statuses = [run.status for run in figure.runs]
            assert cell["diverged"] == statuses.count("diverged")
            assert cell["dead"] == statuses.count("dead")
    for state, result in zip(states, json.loads(results), strict=True):
        momenta = np.array(result["axes"]["momentum"])
        lr, momentum = state["lr"], state["momentum"]
        assert result["effective"] == pytest.approx(lr / (1 - momentum), rel=1e-9)
        along = [lr * (1 - momenta) / (1 - momentum), lr * (1 + momenta) / (1 + momentum)]
        np.testing.assert_allclose(result["lines"], along, rtol=1e-9)
        chosen = [c for c in result["cells"] if (c["lr"], c["momentum"]) == (lr, momentum)]
        assert result["cell"] == (chosen[0] if chosen else None)
