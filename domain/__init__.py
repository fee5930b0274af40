"""Facts and rules of the trade. Pure: no input or output, no clock, no Temporal."""
