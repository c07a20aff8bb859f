"""Pairs that show whether a slot measured alike before and after a change of its device: only then its segments are pooled."""

from __future__ import annotations

from pydantic import Field

from devices.plan.agreed import Level
from devices.plan.parts import Name, Part, Quantity
from devices.plan.written import Day, Number, Text


class Shown(Part):
    """What a device said of a quantity that was given to both: the one before the change, and the one after it."""

    value: Level
    uncertainty: Quantity = Field(description="Expanded, in the channel's dimension, as in '1.2 ug/m^3'.")


class Calibration(Part):
    """One collocation, or two calibrations against the same reference."""

    slot: Name
    channel: Name
    change: Day = Field(description="The day on which device, model or firmware changed, in the pilot's time zone.")
    before: Shown
    after: Shown
    k: Number = Field(2, gt=0, description="Coverage factor of both uncertainties.")
    date: Day = Field(description="The day of the measurement.")
    certificate: Text = Field(description="The number of the certificate, or of the record of the collocation.")
