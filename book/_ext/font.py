"""Cut the font of the formulas out of STIX Two Math: what formulas like this book's are made of.

make font
"""

from pathlib import Path

from fontTools.subset import Options, Subsetter, load_font, save_font
from fontTools.ttLib import TTFont

_ROOT = Path(__file__).parents[2]
_WHOLE = _ROOT / "node_modules/@fontsource/stix-two-math/files/stix-two-math-latin-400-normal.woff2"
_CUT = _ROOT / "book/_static/stix-two-math.woff2"
_RANGES = (
    *((0x20, 0x7E), (0x391, 0x3C9)),  # letters, digits and signs; Greek
    *(
        (0x1D434, 0x1D49B),
        (0x1D6A8, 0x1D71B),
    ),  # italic and bold ones
)
_SIGNS = "¯±×ϵ‖’…′ℎℝ←→⇐⇒⇔∂∇∈∉∋∏∑−∓√∝∞∫≈≠≤≥≪≫⊤⋅⋆⋯⋱⌈⌉⌊⌋⏞⏟⟵⟶⟷⟸⟹⟺"
_ACCENTS = (0x302, 0x304, 0x307, 0x308)
_INVISIBLE = range(0x2061, 0x2065)  # "applied to", "times"


def cut_font() -> None:
    """Write the font into the book."""
    options = Options(flavor="woff2", hinting=False)
    options.layout_features = ["ssty", "dtls", "kern", "mark", "mkmk"]
    font = load_font(str(_WHOLE), options)
    cutter = Subsetter(options)
    letters = [point for low, high in _RANGES for point in range(low, high + 1)]
    cutter.populate(unicodes=[*letters, *map(ord, _SIGNS), *_ACCENTS, *_INVISIBLE])
    cutter.subset(font)
    # Subscripts below the tail of a g or a p hang lower than those of their neighbours. In TeX they
    # do not.
    font["MATH"].table.MathConstants.SubscriptBaselineDropMin.Value = 0
    _narrow_radicals(font)
    save_font(font, str(_CUT), options)


def _narrow_radicals(font: TTFont) -> None:
    """Make the larger radicals as wide as the smallest.

    Chromium leaves room for the widest one, whichever it draws: there was a gap after each root.
    """
    variants = font["MATH"].table.MathVariants
    smallest = font.getBestCmap()[ord("√")]
    radical = variants.VertGlyphConstruction[variants.VertGlyphCoverage.glyphs.index(smallest)]
    larger = [record.VariantGlyph for record in radical.MathGlyphVariantRecord]
    larger += [part.glyph for part in radical.GlyphAssembly.PartRecords]
    width, _ = font["hmtx"][smallest]
    for name in set(larger) - {smallest}:
        advance, bearing = font["hmtx"][name]
        glyph = font["glyf"][name]
        glyph.coordinates.scale((width / advance, 1))
        glyph.coordinates.toInt()
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = (width, round(bearing * width / advance))


if __name__ == "__main__":
    cut_font()
