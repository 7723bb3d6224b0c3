"""A kiosk (自助终端): its connection to the service, whoever stands before it, and its page."""

from scan_api.kiosk.app import create_kiosk_app
from scan_api.kiosk.client import ChannelClient

__all__ = ["ChannelClient", "create_kiosk_app"]
