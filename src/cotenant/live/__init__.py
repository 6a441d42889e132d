"""The driver with hardware: lanes, classes, the Python door."""

from cotenant.live.client import Client
from cotenant.live.device import LiveDevice

__all__ = ["Client", "LiveDevice"]
