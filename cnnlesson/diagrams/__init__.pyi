from .draw import (
    draw_boxes as draw_boxes,
    draw_feature_maps as draw_feature_maps,
    save_svg as save_svg,
)
from .stages import describe as describe
