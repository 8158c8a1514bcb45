from .draw import (
    draw_boxes as draw_boxes,
    draw_feature_maps as draw_feature_maps,
    save_svg as save_svg,
)
from .receptive_fields import ReceptiveField as ReceptiveField, receptive_fields as receptive_fields
from .stages import describe as describe
from .windows import transposed_output_size as transposed_output_size
