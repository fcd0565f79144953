# The examples that need no file and check themselves; tests run them, also against an installed package.
set(atrous_own_parts own_backbone own_layer own_primitive own_policy own_classes four_channels five_rates two_stage_decoder)
